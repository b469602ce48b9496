// Asks the invoice service with the secret key, which stays on this server.
// MSTY_URL and MSTY_SECRET_KEY stand in .env.local.

const PASSED_ON = ["Content-Type", "ETag", "Retry-After", "X-Request-ID"];

export async function ask(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${process.env.MSTY_SECRET_KEY}`);
  try {
    const answer = await fetch(`${process.env.MSTY_URL}/api/lightning/${path}`, {
      ...init,
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(20_000), // the service itself gives up earlier
    });
    return passedOn(answer);
  } catch {
    const words = "The invoice service does not answer; try again.";
    const body = { error: words, code: "SERVICE_UNAVAILABLE" };
    return Response.json(body, { status: 503, headers: { "Retry-After": "2" } });
  }
}

function passedOn(answer: Response): Response {
  const headers = new Headers();
  for (const name of PASSED_ON) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
}
