/// Writes a log page in the scenario's envelope and with its field names. Writes the JSON by hand, because it must hold
/// the raw body of each delivery byte for byte.
struct LogPageWriter {
    let scenario: Scenario
    /// Scheme and authority for absolute URLs.
    let origin: String

    /// The JSON of the page, and the value of the `Link` header; nil when no header names the next page.
    func write(_ page: LogPage) -> (body: [UInt8], link: String?) {
        var body: [UInt8] = []
        body.reserveCapacity(256 + page.entries.count * 1024)
        let next = page.next.map { nextURL(of: page.endpointID, to: $0) }
        let inHeader = scenario.paging == .header || (scenario.logShape == .array && scenario.paging != .none)
        body += opening(page, next: next).utf8
        for (index, entry) in page.entries.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            append(entry, endpointID: page.endpointID, to: &body)
        }
        body += (scenario.logShape == .array ? "]" : "]}").utf8
        return (body, inHeader ? next.map { "<\($0)>; rel=\"next\"" } : nil)
    }

    private func nextURL(of endpointID: String, to address: PageAddress) -> String {
        let path = "/api/v2/webhook_endpoint/\(endpointID)/logs?\(address.query)"
        switch scenario.nextURL {
        case .relative: return path
        case .absolute: return origin + path
        case .inner: return "http://inner-host:8000" + path
        }
    }

    private func opening(_ page: LogPage, next: String?) -> String {
        let name = scenario.logShape.rawValue
        if scenario.logShape == .array { return "[" }
        let value = next.map { JSONText.quoted($0) } ?? "null"
        let count = scenario.noCount ? "" : "\"count\":\(page.total),"
        switch scenario.paging {
        case .next: return "{\(count)\"next\":\(value),\"\(name)\":["
        case .links: return "{\(count)\"links\":{\"next\":\(value)},\"\(name)\":["
        case .header, .none: return "{\(count)\"\(name)\":["
        }
    }

    private func append(_ entry: LogPage.Entry, endpointID: String, to body: inout [UInt8]) {
        let (row, delivery) = (entry.row, entry.delivery)
        let names = Names(scenario.spelling)
        body +=
            """
            {"\(names.task)":\(row.taskJSON),"\(names.event)":\(JSONText.quoted(delivery.eventType)),\
            "\(names.customer)":\(delivery.customerJSON),"\(names.webhook)":\(JSONText.quoted(endpointID)),\
            "\(names.body)":
            """.utf8
        body += delivery.body
        body += ",\"\(names.outcome)\":\(outcome(of: row)),\"\(names.when)\":\(time(row.at))".utf8
        if let updatedAt = row.updatedAt {
            body += ",\"updated_at\":\(time(updatedAt))".utf8
        }
        body += ",\"\(names.error)\":\(row.succeeded ? "null" : errorText(of: row.status))}".utf8
    }

    /// The alternative spelling gives the receiver's status, 0 for no answer.
    private func outcome(of row: LogRow) -> String {
        switch scenario.spelling {
        case .default: row.succeeded ? "\"success\"" : "\"failure\""
        case .alternative: "\(row.status)"
        }
    }

    private func time(_ time: Milliseconds) -> String {
        switch scenario.time ?? (scenario.spelling == .default ? .seconds : .iso) {
        case .seconds: "\(time / 1000)"
        case .milliseconds: "\(time)"
        case .microseconds: "\(time)000"
        case .nanoseconds: "\(time)000000"
        case .iso: "\"\(WallTime.iso(time))\""
        case .gmt: "\"\(WallTime.iso(time).replacing("T", with: " ").replacing("Z", with: " GMT"))\""
        case .rfc1123: "\"\(WallTime.rfc1123(time))\""
        case .shortOffset: "\"\(WallTime.iso(time + 3 * 3_600_000).replacing("Z", with: "+3:00"))\""
        }
    }

    private func errorText(of status: Int) -> String {
        switch status {
        case 0: "\"no answer: connection failed or timed out\""
        case 500: "\"500 Internal Server Error\""
        case 502: "\"502 Bad Gateway\""
        case 503: "\"503 Service Unavailable: \\\"maintenance\\\"\""
        default: "\"HTTP status \(status)\""
        }
    }

    /// The field names of a log entry in one spelling.
    private struct Names {
        let task, event, customer, webhook, body, outcome, when, error: String

        init(_ spelling: Scenario.Spelling) {
            let names =
                switch spelling {
                case .default:
                    ["task_id", "event_type", "customer_id", "webhook_id", "body", "status", "created_at", "error"]
                case .alternative:
                    ["id", "event", "customer", "webhook", "payload", "response_status", "timestamp", "response_body"]
                }
            (task, event, customer, webhook) = (names[0], names[1], names[2], names[3])
            (body, outcome, when, error) = (names[4], names[5], names[6], names[7])
        }
    }
}
