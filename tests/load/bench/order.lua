-- What wrk sends: one order after another, each from another client address and, if asked,
-- with another Idempotency-Key. What it prints at the end is read by wrk.py.

local ADDRESSES = 10000
local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(args)
   sent, refused, first = 0, 0, ""
   wrk.headers["Content-Type"] = "application/json"
   wrk.headers[os.getenv("BENCH_KEY_HEADER")] = os.getenv("BENCH_KEY")
   wrk.headers["X-Real-IP"] = "@ADDRESS@"
   local request = wrk.format("POST", nil, nil, os.getenv("BENCH_BODY"))
   -- Cut once here: to format each request anew would be most of wrk's work.
   local from, to = request:find("@ADDRESS@", 1, true)
   before, after = request:sub(1, from - 1), request:sub(to + 1)
   prefix = os.getenv("BENCH_IDEMPOTENCY_PREFIX")
end

function request()
   sent = sent + 1
   -- Two threads, so that their addresses interleave.
   local n = (2 * sent + number) % ADDRESSES
   local address = string.format("10.1.%d.%d", math.floor(n / 250), n % 250 + 1)
   if prefix then
      address = string.format("%s\r\nIdempotency-Key: %s-%d-%d", address, prefix, number, sent)
   end
   return before .. address .. after
end

function response(status, headers, body)
   if status ~= 201 then
      refused = refused + 1
      if refused == 1 then first = status .. " " .. body:gsub("%s+", " "):sub(1, 500) end
   end
end

function done(summary, latency, requests)
   local refused, first = 0, ""
   for _, thread in ipairs(threads) do
      refused = refused + thread:get("refused")
      if first == "" then first = thread:get("first") end
   end
   local errors = summary.errors
   print("requests " .. summary.requests)
   print("duration_us " .. summary.duration)
   print("p50_us " .. latency:percentile(50))
   print("p99_us " .. latency:percentile(99))
   print("broken " .. errors.connect + errors.read + errors.write + errors.timeout)
   print("refused " .. refused)
   print("first " .. first)
end
