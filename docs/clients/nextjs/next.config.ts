import type { NextConfig } from "next";

const config: NextConfig = {
  // For development: a page that calls the service itself, with a publishable key, asks its own
  // origin, so the browser needs no CORS. In production Nginx in front of the service sends CORS
  // headers to the origins it knows, and the page uses the service's own address.
  async rewrites() {
    return [
      { source: "/api/lightning/:path*", destination: `${process.env.MSTY_URL}/api/lightning/:path*` },
    ];
  },
};

export default config;
