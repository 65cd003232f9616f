-- wrk: POST /uploads, each with its own path. KEY is the API key; it is empty for no authentication.

local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  count = 0
  -- Two runs with one database must use different paths.
  run = tostring(os.time())
  headers = { ["content-type"] = "application/json" }
  local key = os.getenv("KEY")
  if key ~= "" then
    headers["authorization"] = "Bearer " .. key
  end
end

function request()
  count = count + 1
  local body = '{"path":"/bench/' .. run .. "-" .. id .. "-" .. count .. '.csv",'
    .. '"name":"employees","content_type":"text/csv","size":123456,'
    .. '"checksum":{"algorithm":"SHA256","value":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}'
  return wrk.format("POST", "/uploads", headers, body)
end

-- Prints one line for scripts: requests/s, p99 in ms, and the number of responses other than 2xx.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %.0f %.1f %d\n",
    summary.requests / summary.duration * 1e6, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
