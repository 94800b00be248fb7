-- wrk -s load.lua URL -- WORK TOKENS PREFIX IDS BATCH: withdrawals of 1.00, each under a key of its own, PREFIX with a
-- number. The merchants of the file TOKENS (a token a line) take turns. The ids of those that were answered as settled go
-- to the file IDS; the counts are lines `etebar NAME NUMBER` on standard output, as etebar_bench/load.py reads them.
-- etebar_bench/python_load.py is the same where there is no wrk: change both.

local AMOUNT = "1.00"
local COUNTED = { "final", "pending", "refused", "other_errors" }
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

-- Globals, because done() can ask a thread for nothing else.
final, pending, refused, other_errors, sample = 0, 0, 0, 0, ""

local heads, prefix, batch, ids
local number = 0

local function head(token, path)
    return table.concat({
        "POST " .. path .. " HTTP/1.1",
        "Host: " .. wrk.headers["Host"],
        "Authorization: Bearer " .. token,
        "Content-Type: application/json",
        "",
    }, "\r\n")
end

local function next_head()
    number = number + 1
    return heads[number % #heads + 1]
end

local function single()
    local start = next_head()
    return start .. prefix .. number .. '\r\n\r\n{"amount":"' .. AMOUNT .. '"}'
end

local function bulk()
    local start = next_head()
    local members = {}
    for member = 1, batch do
        members[member] = '{"idempotency_key":"' .. prefix .. number .. "-" .. member .. '","amount":"' .. AMOUNT .. '"}'
    end
    local body = '{"atomic":false,"withdrawals":[' .. table.concat(members, ",") .. "]}"
    return start .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

local function count(status, body, times)
    if status == 201 and body:find('"state":"settled"', 1, true) then
        final = final + 1
        ids:write(body:match('"id":"([^"]+)"'), "\n")
        return
    elseif status == 202 then
        pending = pending + times
    elseif status == 409 then
        refused = refused + times
        return
    else
        other_errors = other_errors + times
    end
    if sample == "" then
        sample = status .. " " .. body:sub(1, 200):gsub("%s+", " ")
    end
end

-- The members of a 207: a member's own status is the one before "replayed", a problem in its body has another.
local function count_members(body)
    local seen = 0
    for status, answer in body:gmatch('"status":(%d+),"replayed":false,"body":(%b{})') do
        seen = seen + 1
        count(tonumber(status), answer, 1)
    end
    if seen < batch then
        count(0, "a 207 with " .. seen .. " members: " .. body, batch - seen)
    end
end

function init(arguments)
    local work, tokens = arguments[1], arguments[2]
    prefix, batch = arguments[3], tonumber(arguments[5])
    ids = assert(io.open(arguments[4], "w"))
    heads = {}
    for token in io.lines(tokens) do
        if work == "bulk" then
            table.insert(heads, head(token, "/api/v1/withdrawals/bulk"))
        else
            local length = #'{"amount":""}' + #AMOUNT
            table.insert(heads, head(token, "/api/v1/withdrawals") .. "Content-Length: " .. length .. "\r\nIdempotency-Key: ")
        end
    end
    request = work == "bulk" and bulk or single
end

function response(status, _, body)
    if status == 207 then
        count_members(body)
    else
        count(status, body, batch)
    end
end

function done(summary, latency)
    local function tell(name, value)
        io.write(("etebar %s %.0f\n"):format(name, value))
    end
    io.write("\n")
    for _, name in ipairs(COUNTED) do
        local sum = 0
        for _, thread in ipairs(threads) do
            sum = sum + thread:get(name)
        end
        tell(name, sum)
    end
    local errors = summary.errors
    tell("socket_errors", errors.connect + errors.read + errors.write + errors.timeout)
    tell("duration_us", summary.duration)
    tell("p50_us", latency:percentile(50))
    tell("p99_us", latency:percentile(99))
    for _, thread in ipairs(threads) do
        io.write("etebar-sample ", thread:get("sample"), "\n")
    end
end
