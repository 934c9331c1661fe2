import DeliveryQueue

/// The provider's delivery log of one endpoint: rows kept as JSON, newest last, read in pages newest first.
struct SimulatedLog: Sendable {
    /// The content of a row.
    struct Row: Sendable {
        let taskID: String
        let arrives: Bool
        /// When the provider knows the result; the row is in the log from then on.
        let time: Duration
    }

    private let endpointID: String
    private let pageSize: Int
    /// JSON objects as bytes, in the order of their logging.
    private var rows: [[UInt8]] = []
    private var tasks: [String] = []
    /// Deliveries under way, in the order of their ends.
    private var pending: [(row: Row, json: [UInt8], replaces: Bool)] = []

    /// - Parameter pageSize: rows of a page; at least 1.
    init(endpointID: String, pageSize: Int) {
        self.endpointID = endpointID
        self.pageSize = pageSize
    }

    /// Adds the result of a delivery, which ends now or a little later.
    ///
    /// - Parameter replaces: true to remove the task's newest row, as if it was changed in place.
    mutating func add(_ row: Row, of delivery: SimulatedDelivery, replaces: Bool = false) {
        let place = pending.lastIndex { $0.row.time <= row.time }.map { $0 + 1 } ?? 0
        pending.insert((row, json(row, delivery), replaces), at: place)
    }

    /// The JSON of the page that ends before row `end`, counted from the oldest; nil for the newest page.
    mutating func page(before end: Int?, at now: Duration) -> [UInt8] {
        settle(now)
        let end = min(end ?? rows.count, rows.count)
        let start = max(0, end - pageSize)
        var page = Array("{\"results\": [".utf8)
        for (offset, row) in rows[start..<end].reversed().enumerated() {
            if offset > 0 { page += ", ".utf8 }
            page += row
        }
        page += "], \"next\": ".utf8
        page += (start > 0 ? "\"?before=\(start)\"}" : "null}").utf8
        return page
    }

    private mutating func settle(_ now: Duration) {
        let ended = pending.prefix { $0.row.time <= now }
        for entry in ended {
            if entry.replaces, let index = tasks.lastIndex(of: entry.row.taskID) {
                rows.remove(at: index)
                tasks.remove(at: index)
            }
            rows.append(entry.json)
            tasks.append(entry.row.taskID)
        }
        pending.removeFirst(ended.count)
    }

    private func json(_ row: Row, _ delivery: SimulatedDelivery) -> [UInt8] {
        let time = (Scenario.beginning + row.time).milliseconds
        return Array(
            """
            {"task_id": "\(row.taskID)", "event_type": "\(delivery.eventType)", "customer_id": "\(delivery.customerID)", \
            "webhook_id": "\(endpointID)", "status": "\(row.arrives ? "success" : "failure")", "created_at": \(time), \
            "body": \(delivery.body)}
            """.utf8)
    }
}
