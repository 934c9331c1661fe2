/// One event of one endpoint that the provider has to deliver, and everything that happened to it.
struct Delivery: Sendable {
    /// The task id as it stands in the log: a JSON string with its quotes, or an integer.
    let taskJSON: String
    let endpointIndex: Int
    let eventType: String
    /// A JSON string with its quotes, an integer, or `null`.
    let customerJSON: String
    /// The raw JSON text that the log shows and a retry has to bring back.
    let body: [UInt8]
    let bodySHA256: String
    var attempts: [Attempt] = []
    /// How often the receiver accepted it with 2xx.
    var arrived = 0
    var arrivedSHA256: [String] = []
    /// Whether everything that arrived had the bytes of `body`.
    var bytesMatch = true
    /// How many more attempts the receiver answers with 500.
    var failuresLeft = 0
    /// Further task ids under which the log shows its retries.
    var aliases: [String] = []
    /// Its first row in the endpoint's log; nil until there is one.
    var firstRow: Int?
    /// Retry calls for it that are being answered now.
    var callsInFlight = 0
    /// Retries taken on whose attempt is not finished.
    var retriesPending = 0

    /// Whether the provider's first attempt failed, which is what makes it the client's business.
    var failedInitially: Bool {
        attempts.first.map { !$0.succeeded } ?? false
    }
}

/// One time the provider called the receiver, or says that it did before the sandbox started.
struct Attempt: Sendable, Encodable {
    enum Kind: String, Encodable, Sendable {
        /// The provider's first attempt.
        case initial
        /// A further attempt that the provider made by itself.
        case provider
        /// Asked for by a retry call.
        case retry
        /// Asked for by a test call.
        case test
    }

    let atMs: Milliseconds
    let kind: Kind
    /// The receiver's HTTP status; 0 when there was no answer.
    let status: Int

    var succeeded: Bool {
        (200..<300).contains(status)
    }

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
