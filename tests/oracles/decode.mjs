// Reads BOLT11 invoices from standard input, one a line, and answers each with a line of
// JSON in this project's terms. This decoder does not look at the signature.
import { createInterface } from "node:readline";
import decoder from "light-bolt11-decoder";

const NETWORKS = { bc: "mainnet", tb: "testnet", tbs: "signet", bcrt: "regtest" };

function featureBits(features) {
  if (!features) return [];
  const { extra_bits: extra, ...named } = features;
  const bits = Object.values(named).flatMap((status, index) =>
    status === "required" ? [2 * index] : status === "supported" ? [2 * index + 1] : [],
  );
  return bits.concat(extra.bits.flatMap((set, index) => (set ? [extra.start_bit + index] : [])));
}

function hop(route) {
  const { pubkey, short_channel_id, fee_base_msat, fee_proportional_millionths } = route;
  return [
    pubkey,
    short_channel_id,
    fee_base_msat,
    fee_proportional_millionths,
    route.cltv_expiry_delta,
  ];
}

function answer(invoice) {
  const decoded = decoder.decode(invoice);
  const value = (name) => decoded.sections.find((section) => section.name === name)?.value ?? null;
  return {
    network: NETWORKS[value("coin_network").bech32],
    amount_msat: value("amount"), // text, since a number would lose digits
    timestamp: value("timestamp"),
    payment_hash: value("payment_hash"),
    payment_secret: value("payment_secret"),
    description: value("description"),
    description_hash: value("description_hash"),
    expiry_seconds: value("expiry"),
    min_final_cltv_expiry_delta: value("min_final_cltv_expiry"),
    feature_bits: featureBits(value("feature_bits")),
    metadata: value("metadata"),
    route_hints: decoded.route_hints.map((route) => route.map(hop)),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(answer(line)));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
