// GET /api/invoices/{paymentHash}: what is recorded. Poll it with If-None-Match.

import { ask } from "../service";

type Context = { params: Promise<{ paymentHash: string }> };

export async function GET(request: Request, { params }: Context): Promise<Response> {
  const { paymentHash } = await params;
  const etag = request.headers.get("If-None-Match");
  return ask(`invoices/${encodeURIComponent(paymentHash)}`, {
    headers: etag ? { "If-None-Match": etag } : {},
  });
}
