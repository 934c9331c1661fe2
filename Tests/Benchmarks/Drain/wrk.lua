-- Asks for retries as fast as wrk can, each of a task of its own: the wall that a drain is measured against.
--
--     wrk -t1 -c64 -d3s -s wrk.lua http://127.0.0.1:PORT/api/v2/webhook_endpoint/retry

local head, middle, tail
local number = 0

-- The request is put together once; later only its task id changes, and with it nothing of its length.
function init()
    local event = '{"event": "profile_update", "id": "wrk-TASKTASK", "text": "'
    event = event .. string.rep("x", 600 - #event - 2) .. '"}'
    local headers = {
        ["Accept"] = "application/json", ["Accept-Encoding"] = "gzip", ["User-Agent"] = "redeliver",
        ["Content-Type"] = "application/json", ["Authorization"] = "Bearer bench",
    }
    local body = '{"task_id": "wrk-TASKTASK", "body": ' .. event
        .. ', "customer_id": "customer-12345", "webhook_id": "webhook-1", "event_type": "profile_update"}'
    local whole = wrk.format("POST", nil, headers, body)
    head, middle, tail = whole:match("^(.-)TASKTASK(.-)TASKTASK(.*)$")
end

function request()
    number = number + 1
    local task = string.format("%08d", number)
    return head .. task .. middle .. task .. tail
end
