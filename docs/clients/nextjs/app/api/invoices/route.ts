// POST /api/invoices {"amount": sats, "memo"?: text}: an invoice for a visitor of this site.
// Where you sell something, take the amount from your own prices, never from the page.

import { ask } from "./service";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function POST(request: Request): Promise<Response> {
  // The page makes one with crypto.randomUUID() for each order, and sends it again with each
  // retry. All visitors share this server's key, so what another could guess is not taken.
  const sent = request.headers.get("Idempotency-Key") ?? "";
  const order = UUID.test(sent) ? sent : crypto.randomUUID();
  return ask("create-invoice", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": order },
    body: await request.text(), // the service checks it, and names what is wrong
  });
}
