import DeliveryQueue
import Foundation

extension ChaosTruth {
    /// The provider's time as answers tell it (RFC 9110, 5.6.7).
    static func dateHeader(at time: Duration) -> String {
        let seconds = (beginning + time).milliseconds / 1_000
        let date = gmtime(seconds)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[Int(date.tm_wday)]), \(two(date.tm_mday)) \(months[Int(date.tm_mon)]) \(1900 + date.tm_year) "
            + "\(two(date.tm_hour)):\(two(date.tm_min)):\(two(date.tm_sec)) GMT"
    }

    private static func gmtime(_ seconds: Int64) -> tm {
        var (seconds, date) = (time_t(seconds), tm())
        gmtime_r(&seconds, &date)
        return date
    }

    /// A page of an endpoint's log as it is at a moment, and the rows on it.
    mutating func page(of endpoint: Int, number: Int, at time: Duration) -> (body: [UInt8], rows: [Int]) {
        let places = ordered(endpoint, at: time)
        let from = min(number * plan.log.pageSize, places.count)
        let upTo = min(from + plan.log.pageSize, places.count)
        let shown = Array(places[from..<upTo])
        let items = shown.map { json(rows[endpoint][$0], endpoint) }.joined(separator: ", ")
        let next = upTo < places.count ? "\"?page=\(number + 1)\"" : "null"
        let body =
            switch plan.log.shape {
            case .results: "{\"count\": \(places.count), \"next\": \(next), \"results\": [\(items)]}"
            case .nested: "{\"links\": {\"next\": \(next)}, \"data\": [\(items)]}"
            case .bare: "[\(items)]"
            }
        return (Array(body.utf8), shown)
    }

    /// Whether a bare list has a further page, which a header names.
    func hasFurther(_ endpoint: Int, after number: Int, at time: Duration) -> Bool {
        (number + 1) * plan.log.pageSize < ordered(endpoint, at: time).count
    }

    private func ordered(_ endpoint: Int, at time: Duration) -> [Int] {
        let all = rows[endpoint].indices.filter {
            let row = rows[endpoint][$0]
            return row.visible <= time && row.hidden.map { $0 > time } ?? true
        }
        func key(_ place: Int) -> (Int64, Int) { (rows[endpoint][place].created, rows[endpoint][place].number) }
        switch plan.log.order {
        case .newestFirst: return all.sorted { key($0) > key($1) }
        case .oldestFirst: return all.sorted { key($0) < key($1) }
        case .unordered: return all.sorted { mixed($0) < mixed($1) }
        }
    }

    /// An order that has nothing to do with time.
    private func mixed(_ place: Int) -> UInt64 {
        (UInt64(place) &+ 1 &+ plan.seed) &* 0x9e37_79b9_7f4a_7c15
    }

    private func json(_ row: Row, _ endpoint: Int) -> String {
        let event = plan.events[row.event]
        var fields = ["\"task_id\": \(row.taskID)", "\"event_type\": \"\(event.eventType)\""]
        if event.customerID != "null" { fields.append("\"customer_id\": \(event.customerID)") }
        if let webhook = plan.receivers[endpoint].webhookID { fields.append("\"webhook_id\": \(webhook)") }
        let time = { (stamp: Int64) in plan.log.isCoarse ? "\(stamp / 1_000)" : "\(stamp)" }
        fields.append("\"created_at\": \(time(row.created))")
        if let changed = row.changed { fields.append("\"updated_at\": \(time(changed))") }
        let word = ["succeeded": "success", "failed": "failure", "in_progress": "pending"][row.outcome.rawValue] ?? ""
        fields.append("\"status\": \"\(row.isGarbled ? "perhaps" : word)\"")
        fields.append("\"body\": \(event.body)")
        if row.outcome == .failed { fields.append("\"error\": \"receiver said no\"") }
        return "{\(fields.joined(separator: ", "))}"
    }
}
