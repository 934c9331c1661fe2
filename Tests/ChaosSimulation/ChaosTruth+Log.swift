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

    /// What a page of an endpoint's log shows at a moment.
    struct ShownPage: Sendable {
        /// The places of its rows.
        var rows: [Int]
        /// How many entries the log has.
        var count: Int
        /// Where its link leads; nil: it has none.
        var next: ChaosAddress?
    }

    mutating func page(of endpoint: Int, at address: ChaosAddress, _ time: Duration) -> ShownPage {
        let spell = plan.spell(of: endpoint, at: time)
        if case .deleting? = spell, address.page > 0 { forget(on: address.page, of: endpoint, at: time) }
        let places = ordered(endpoint, at: time)
        let from = min(address.page * plan.log.pageSize, places.count)
        let upTo = min(from + plan.log.pageSize, places.count)
        let next = next(after: address, isLast: upTo == places.count, spell)
        return ShownPage(rows: address.empty > 0 ? [] : Array(places[from..<upTo]), count: places.count, next: next)
    }

    private mutating func next(
        after address: ChaosAddress, isLast: Bool, _ spell: ChaosPlan.Spell.Kind?
    ) -> ChaosAddress? {
        if address.isEndless {
            emptyPages += 1
            return ChaosAddress(page: address.page, empty: ChaosAddress.endless + emptyPages)
        }
        if address.empty > 0 { return ChaosAddress(page: address.page, empty: address.empty - 1) }
        if case .circle? = spell, address.page > 0 { return ChaosAddress(page: address.page - 1) }
        guard !isLast else { return nil }
        guard case .empty(let pages)? = spell else { return ChaosAddress(page: address.page + 1) }
        return ChaosAddress(page: address.page + 1, empty: pages ?? ChaosAddress.endless)
    }

    /// Sometimes an entry before a page is deleted just before that is shown. Never one that anybody awaits.
    private mutating func forget(on page: Int, of endpoint: Int, at time: Duration) {
        guard dice.chance(0.5) else { return }
        let before = ordered(endpoint, at: time).prefix(page * plan.log.pageSize)
        let fillers = before.filter { plan.events[rows[endpoint][$0].event].isFiller }
        guard !fillers.isEmpty else { return }
        let place = dice.pick(fillers)
        rows[endpoint][place].hidden = time
        note("deleted before page \(page): \(rows[endpoint][place].key)", at: time)
    }

    func body(of page: ShownPage, _ endpoint: Int, as id: String) -> [UInt8] {
        let items = page.rows.map { json(rows[endpoint][$0], endpoint) }.joined(separator: ", ")
        let next = page.next.map { "\"\(link(to: $0, as: id))\"" } ?? "null"
        let body =
            switch plan.log.shape {
            case .results: "{\"count\": \(page.count), \"next\": \(next), \"results\": [\(items)]}"
            case .nested: "{\"links\": {\"next\": \(next)}, \"data\": [\(items)]}"
            case .bare: "[\(items)]"
            }
        return Array(body.utf8)
    }

    func link(to address: ChaosAddress, as id: String) -> String {
        let query = "?page=\(address.number)"
        guard plan.hasInnerLinks else { return query }
        return "http://inner-host:8000/api/v2/webhook_endpoint/\(id)/logs\(query)"
    }

    private mutating func ordered(_ endpoint: Int, at time: Duration) -> [Int] {
        if pageOrder[endpoint].count != rows[endpoint].count { sort(endpoint) }
        return pageOrder[endpoint].filter {
            let row = rows[endpoint][$0]
            return row.visible <= time && row.hidden.map { $0 > time } ?? true
        }
    }

    private mutating func sort(_ endpoint: Int) {
        func key(_ place: Int) -> (Int64, Int) { (rows[endpoint][place].created, rows[endpoint][place].number) }
        let all = Array(rows[endpoint].indices)
        pageOrder[endpoint] =
            switch plan.log.order {
            case .newestFirst: all.sorted { key($0) > key($1) }
            case .oldestFirst: all.sorted { key($0) < key($1) }
            case .unordered: all.sorted { mixed($0) < mixed($1) }
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
