import DeliveryQueue
import ProviderAPI

/// Counts of one polling turn: what was read from one endpoint's log, and what changed.
struct PollSummary: Sendable, Equatable {
    var pages = 0
    var entries = 0
    var new = 0
    var delivered = 0
    var failedAgain = 0
    var unreadable = 0
    /// Whether unreadable entries are left out now, and were not in the last day.
    var beganToLeaveOut = false
    /// The last change of the endpoint's circuit in this turn; nil when it did not change.
    var circuit: EndpointCircuit.Action?
    /// Why a page behind the first could not be read; nil when all could. What it holds stays a gap, or is read again
    /// later.
    var trouble: String?
    /// Whether a part of the log waits to be read again after such trouble.
    var isPutOff = false
    /// True when the turn ended before the end of the log; the next turn continues there.
    var isUnfinished = false
    /// Whether old rows that are read again, or the pass through the log, go on in the next turn.
    var hasRest = false

    var changedSomething: Bool {
        new + delivered + failedAgain + unreadable > 0 || isUnfinished || beganToLeaveOut || circuit != nil
    }

    mutating func add(_ page: LogPage, _ ingested: IngestSummary) {
        pages += 1
        entries += page.items.count
        new += ingested.new
        delivered += ingested.delivered
        failedAgain += ingested.failedAgain
        unreadable += ingested.unreadable
        beganToLeaveOut = beganToLeaveOut || ingested.beganToLeaveOut
        circuit = ingested.circuit ?? circuit
    }
}
