-- Told to wrk by `--script`: what it measured, as a line of JSON. A line before it says that the load has ended.
local function number(value) return string.format("%.0f", value) end

-- All latencies with how often. wrk finds each by counting from the least on (stats.c, stats_value_at), so many that are
-- large would take minutes: then none.
local MOST_STEPS = 2e9
local function counts(latency)
  local pairs_of = {}
  if #latency * latency:percentile(90) > MOST_STEPS then return pairs_of end
  for index = 1, #latency do
    local value, count = latency(index)
    pairs_of[index] = "[" .. number(value) .. "," .. number(count) .. "]"
  end
  return pairs_of
end

function done(summary, latency, requests)
  io.write('{"drain":true}\n')
  io.flush()
  local errors = {}
  for _, name in ipairs({"connect", "read", "write", "status", "timeout"}) do
    errors[#errors + 1] = string.format('"%s":%s', name, number(summary.errors[name]))
  end
  local times = {}
  if #latency > 0 then
    times = {
      '"min":' .. number(latency.min), '"mean":' .. string.format("%.3f", latency.mean),
      '"median":' .. number(latency:percentile(50)), '"p99":' .. number(latency:percentile(99)),
      '"max":' .. number(latency.max),
    }
  end
  io.write(string.format('{"wrk":{"duration_us":%s,"requests":%s,"errors":{%s},"latency_us":{%s},"counts":[%s]}}\n',
    number(summary.duration), number(summary.requests), table.concat(errors, ","), table.concat(times, ","),
    table.concat(counts(latency), ",")))
end
