/// Totals of a run, kept while it goes on so that asking for them costs nothing.
///
/// `arrived`, `arrivedBytesMatch` and `arrivedMoreThanOnce` count only deliveries that failed at first.
struct Summary: Sendable, Encodable {
    var deliveries = 0
    var failedInitially = 0
    var arrived = 0
    var arrivedBytesMatch = 0
    var arrivedMoreThanOnce = 0
    var retryCalls = 0
    /// By the HTTP status answered; `0` when the connection was dropped instead.
    var retryCallsByStatus: [String: Int] = [:]
    /// Retry calls that the provider took on, whatever it answered.
    var retriesExecuted = 0
    /// Retries taken on while an earlier one of the same delivery was not finished.
    var retriesWhilePending = 0
    /// Retry calls whose body, customer, endpoint or event differ from the recorded ones.
    var retryMismatches = 0
    var logCalls = 0
    var loginCalls = 0
    var refreshCalls = 0
    var unauthorizedCalls = 0
    var signatureFailures = 0
    var maxConcurrentRetries = 0
    var maxConcurrentRetriesPerTask = 0
}

/// One API call as the ledger keeps it.
struct CallRecord: Sendable, Encodable {
    /// Order number from 1, given when the request was read.
    let number: Int
    let atMs: Milliseconds
    let operation: Operation
    let endpointID: String?
    let taskID: String?
    let tokenValid: Bool
    /// The fault that struck, as it was written.
    let fault: String?
    /// The HTTP status answered; 0 when the connection was dropped instead, nil while the call is in progress.
    var status: Int?
    /// Whether the provider did what was asked.
    var executed = false
    /// Retry only: whether body and customer id have the recorded bytes; nil for an unknown task.
    let bodyMatches: Bool?
    /// Retry only: whether endpoint and event type are the recorded ones; nil for an unknown task.
    let fieldsMatch: Bool?
    /// Retry only: the hash of the body that was given.
    let bodySHA256: String?
    /// Whether the client closed the connection before it got the answer.
    var clientLeft: Bool?

    private enum CodingKeys: String, CodingKey {
        case number, atMs, operation, tokenValid, fault, status, executed, bodyMatches, fieldsMatch, clientLeft
        case endpointID = "endpointId"
        case taskID = "taskId"
        case bodySHA256 = "bodySha256"
    }
}
