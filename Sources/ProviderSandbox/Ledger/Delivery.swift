/// One event for one endpoint that the provider delivers, and everything that happened to it.
struct Delivery: Sendable {
    /// The task id in the log: a JSON string with its quotes, or an integer.
    let taskJSON: String
    let endpointIndex: Int
    let eventType: String
    /// A JSON string with its quotes, an integer or `null`.
    let customerJSON: String
    /// The raw JSON text that the log shows and a retry must bring back.
    let body: [UInt8]
    let bodySHA256: String
    var attempts: [Attempt] = []
    /// How often the receiver accepted it with 2xx.
    var arrived = 0
    var arrivedSHA256: [String] = []
    /// Whether each arrival had the bytes of `body`.
    var bytesMatch = true
    /// How many more attempts the receiver answers with 500.
    var failuresLeft = 0
    /// Further task ids under which the log shows its retries.
    var aliases: [String] = []
    /// Its first row in the endpoint's log; nil until it has one.
    var firstRow: Int?
    /// Retry calls for it that are not yet answered.
    var callsInFlight = 0
    /// Accepted retries whose attempt has not ended.
    var retriesPending = 0

    /// Whether the provider's first attempt failed. Only then is the delivery the client's task.
    var failedInitially: Bool {
        attempts.first.map { !$0.succeeded } ?? false
    }
}

/// One call of the receiver. The attempts of the opening data are only said to have happened.
struct Attempt: Sendable, Encodable {
    enum Kind: String, Encodable, Sendable {
        /// The provider's first attempt.
        case initial
        /// A further attempt on the provider's own account.
        case provider
        /// An attempt that a retry call asked for.
        case retry
        /// An attempt that a test call asked for.
        case test
    }

    let atMs: Milliseconds
    let kind: Kind
    /// The receiver's HTTP status; 0 without an answer.
    let status: Int

    var succeeded: Bool { (200..<300).contains(status) }

    private enum CodingKeys: CodingKey {
        case atMs, kind, outcome, status
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(atMs, forKey: .atMs)
        try container.encode(kind, forKey: .kind)
        try container.encode(succeeded ? "success" : "failure", forKey: .outcome)
        try container.encode(status, forKey: .status)
    }
}
