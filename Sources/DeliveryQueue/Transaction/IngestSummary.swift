/// What one page of a log changed, in counts.
package struct IngestSummary: Sendable, Equatable {
    /// Failures that became deliveries.
    package var new = 0
    /// Deliveries that the page proved delivered.
    package var delivered = 0
    /// Retries of ours that the page showed to have failed again.
    package var failedAgain = 0
    package var duplicates = 0
    package var unreadable = 0
    /// Whether unreadable entries were left out, for the first time in a day.
    package var beganToLeaveOut = false
    /// What the page changed about the endpoint's circuit; nil: nothing.
    package var circuit: EndpointCircuit.Action?
    /// The gap under which the scan goes on; nil when nothing of what it must read is left.
    package var gapID: Int64?
    /// Whether the page's first row was read before; true for a page without rows.
    package var beginsKnown = true
    /// What is odd about the body of a failure that became a delivery; nil: nothing.
    package var oddBody: BodyOddness?
    /// The zone of which the log's times seem to be, although it is not configured; nil: nothing hints at one.
    package var zoneHint: String?

    package init() {}

    package var changedSomething: Bool {
        new + delivered + failedAgain + unreadable > 0 || circuit != nil
    }
}
