import DeliveryQueue

/// A log entry as the provider writes it, and pages of such entries.
struct LogLine: Sendable {
    var task: String
    var type = "profile_update"
    var customer = #""c-1""#
    var webhook: String? = #""w-1""#
    var body = #"{"n": 1}"#
    var status = "failure"
    /// nil: the entry has no time.
    var at: Timestamp?
    var updated: Timestamp?

    init(_ task: String, _ status: String = "failure", at: Timestamp? = .noon(-60)) {
        self.task = "\"\(task)\""
        self.status = status
        self.at = at
    }

    var text: String {
        var fields = ["\"task_id\": \(task)", "\"event_type\": \"\(type)\"", "\"customer_id\": \(customer)"]
        if let webhook { fields.append("\"webhook_id\": \(webhook)") }
        fields.append("\"body\": \(body)")
        fields.append("\"status\": \"\(status)\"")
        if let at { fields.append("\"created_at\": \(at.milliseconds)") }
        if let updated { fields.append("\"updated_at\": \(updated.milliseconds)") }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    func with(_ change: (inout LogLine) -> Void) -> LogLine {
        var line = self
        change(&line)
        return line
    }
}

enum LogText {
    static func page(_ lines: [LogLine], next: String? = nil) -> String {
        let list = lines.map(\.text).joined(separator: ",\n")
        return "{\"results\": [\(list)], \"next\": \(next.map { "\"\($0)\"" } ?? "null")}"
    }
}
