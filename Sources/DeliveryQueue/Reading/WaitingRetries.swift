/// Operators' retries of one endpoint that are not sent yet, because its log cannot be read.
package struct WaitingRetries: Sendable, Equatable {
    package let endpoint: String
    package let count: Int
    /// Why its log could not be read; nil: the last poll succeeded, and left a part unread.
    package let pollError: String?

    package init(endpoint: String, count: Int, pollError: String?) {
        self.endpoint = endpoint
        self.count = count
        self.pollError = pollError
    }
}

extension QueueReader {
    /// Which operators' retries wait until a log can be read, by endpoint. Those that are sent in any case are not
    /// among them.
    package func retriesWaitingForLogs() throws(StoreError) -> [WaitingRetries] {
        try read("look for operators' retries that wait for a log") { session in
            try session.all(
                """
                SELECT name, COUNT(*), last_poll_error FROM (
                    SELECT endpoint.name, endpoint.last_poll_error, delivery.is_behind_gap
                    FROM delivery_standing AS delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id
                    WHERE delivery.state = 'scheduled' AND delivery.manual_ms IS NOT NULL AND delivery.manual_ignores_log = 0
                      AND delivery.held_because IS NULL
                ) AS manual
                WHERE last_poll_error IS NOT NULL OR is_behind_gap = 1
                GROUP BY name, last_poll_error ORDER BY name
                """
            ) { WaitingRetries(endpoint: $0.text(), count: $0.int(), pollError: $0.textIfAny()) }
        }
    }
}
