/// The totals of a run so far.
///
/// `arrived`, `arrivedBytesMatch` and `arrivedMoreThanOnce` count only deliveries whose first attempt failed.
struct Summary: Sendable, Encodable {
    var deliveries = 0
    var failedInitially = 0
    var arrived = 0
    var arrivedBytesMatch = 0
    var arrivedMoreThanOnce = 0
    var retryCalls = 0
    /// By the answered HTTP status; `0` when the connection was dropped.
    var retryCallsByStatus: [String: Int] = [:]
    /// Retry calls that the provider executed, whatever it answered.
    var retriesExecuted = 0
    /// Retries that were accepted while an earlier one of the same delivery had not ended.
    var retriesWhilePending = 0
    /// Retry calls whose body, customer, endpoint or event type is not the recorded one.
    var retryMismatches = 0
    var logCalls = 0
    var loginCalls = 0
    var refreshCalls = 0
    var unauthorizedCalls = 0
    var signatureFailures = 0
    var maxConcurrentRetries = 0
    var maxConcurrentRetriesPerTask = 0
}

/// One API call in the ledger.
struct CallRecord: Sendable, Encodable {
    /// Counts from 1, in the order in which requests were read.
    let number: Int
    let atMs: Milliseconds
    let operation: Operation
    let endpointID: String?
    let taskID: String?
    let tokenValid: Bool
    /// The fault that struck, as it was written; nil without one.
    let fault: String?
    /// The answered HTTP status; 0 when the connection was dropped, nil until the answer.
    var status: Int?
    /// Whether the provider executed the call.
    var executed = false
    /// Whether a retry's body and customer id have the recorded bytes; nil for other calls and unknown tasks.
    let bodyMatches: Bool?
    /// Whether a retry's endpoint and event type are the recorded ones; nil for other calls and unknown tasks.
    let fieldsMatch: Bool?
    /// The hash of a retry's body; nil for other calls.
    let bodySHA256: String?
    /// Whether the client closed the connection before the answer; nil when it did not.
    var clientLeft: Bool?
}
