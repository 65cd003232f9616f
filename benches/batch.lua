-- wrk: POST /uploads/batch with 1,000 sessions, each with its own path. KEY is the API key.

local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local ENTRY = '{"path":"/batch/%s-%d-%d-%d.csv","name":"employees","content_type":"text/csv","size":123456,'
  .. '"checksum":{"algorithm":"SHA256","value":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}'

function init()
  count = 0
  -- Two runs with one database must use different paths.
  run = tostring(os.time())
  headers = {
    ["authorization"] = "Bearer " .. os.getenv("KEY"),
    ["content-type"] = "application/json",
  }
end

function request()
  count = count + 1
  local entries = {}
  for number = 1, 1000 do
    entries[number] = string.format(ENTRY, run, id, count, number)
  end
  local body = '{"uploads":[' .. table.concat(entries, ",") .. "]}"
  return wrk.format("POST", "/uploads/batch", headers, body)
end

-- Prints one line for scripts: sessions/s, and the number of responses other than 2xx.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %.0f %d\n",
    summary.requests / summary.duration * 1e9,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
