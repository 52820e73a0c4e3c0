-- For wrk: each request is a report of its own, with a key of its own, as `telemetry` sends it.
-- Its arguments are a file with a report and the installation in it that each request replaces; the last line that is
-- printed has the result as JSON.
local head, tail

local function uuid()
  return string.format("%08x-%04x-4%03x-8%03x-%06x%06x", math.random(0, 2 ^ 32 - 1), math.random(0, 65535),
    math.random(0, 4095), math.random(0, 4095), math.random(0, 2 ^ 24 - 1), math.random(0, 2 ^ 24 - 1))
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  local first, last = text:find(arguments[2], 1, true)
  head, tail = text:sub(1, first - 1), text:sub(last + 1)
  local random = assert(io.open("/dev/urandom", "rb"))
  local one, two, three, four = random:read(4):byte(1, 4)
  random:close()
  math.randomseed(((one * 256 + two) * 256 + three) * 256 + four)
end

function request()
  return wrk.format("POST", nil, {
    ["Host"] = "127.0.0.1", ["Content-Type"] = "application/json", ["Idempotency-Key"] = uuid(),
  }, head .. uuid() .. tail)
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format('{"answers": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
