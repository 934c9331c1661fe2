/// What became of a retry call, as a value: every outcome is one of these, nothing is thrown.
package struct RetryAnswer: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// 2xx: the provider took the retry on; whether it arrives shows in the log.
        case accepted
        /// May have been executed: 408, 409, timeout or reset after sending, an answer that cannot be read.
        case uncertain
        /// 429. Not executed, as the kinds up to `redirected`.
        case throttled
        /// 425 or 503, or the login could not be served.
        case unavailable
        /// Surely not sent.
        case unreachable
        /// 401, also after renewing the token.
        case unauthorized
        case forbidden
        case notFound = "not_found"
        /// 400, 410, 413, 415, 422 and any other 4xx.
        case rejected
        /// 3xx, never followed.
        case redirected
        /// 500, 502, 504 and any other 5xx but 503: may have been executed.
        case serverError = "server_error"
    }

    package var kind: Kind
    /// nil when no answer came.
    package var status: Int?
    /// From zero to one hour; nil when the provider did not say.
    package var retryAfter: Duration?
    /// The text of the `task_id` that a 2xx answer names: the retry may be logged under it.
    package var namedTaskID: String?
    /// The cause, or the start of the answer's text, at most ``RefusalText/limit`` characters without control
    /// characters and without what was sent.
    package var detail: String?

    package init(
        kind: Kind, status: Int? = nil, retryAfter: Duration? = nil, namedTaskID: String? = nil, detail: String? = nil
    ) {
        self.kind = kind
        self.status = status
        self.retryAfter = retryAfter
        self.namedTaskID = namedTaskID
        self.detail = detail.map { String($0.prefix(RefusalText.limit)) }
    }

    /// `now` is in milliseconds since 1970 UTC; `body` is what the retry sent.
    init(_ response: HTTPResponse, toRetryOf body: [UInt8], now: Int64) {
        let kind = response.refusesClientCertificate ? .forbidden : Self.kind(ofStatus: response.status)
        self.init(
            kind: kind,
            status: response.status,
            retryAfter: RetryAfter.duration(in: response, now: now),
            namedTaskID: kind == .accepted ? Self.taskID(in: response.body) : nil,
            detail: kind == .accepted ? nil : RefusalText.excerpt(response.body, hidingValuesOf: body)
        )
    }

    init(_ error: TransportError) {
        switch error {
        case .notSent: self.init(kind: .unreachable, detail: error.label)
        // A too large answer says nothing reliable about its status.
        case .unknownOutcome, .responseTooLarge, .cancelled: self.init(kind: .uncertain, detail: error.label)
        }
    }

    /// No token could be had, so the retry itself was not executed.
    init(withoutToken error: ProviderError) {
        let kind: Kind =
            switch error.reason {
            case .throttled: .throttled
            case .unavailable: .unavailable
            // A login may be repeated, so its outcome is never unknown.
            case .unreachable, .unknownOutcome, .cancelled: .unreachable
            case .redirected: .redirected
            case .forbidden: .forbidden
            case .unauthorized, .credential, .endpointNotFound, .rejected, .unreadableAnswer, .answerTooLarge,
                .foreignNextPage:
                .unauthorized
            }
        self.init(kind: kind, retryAfter: error.retryAfter, detail: error.description)
    }

    /// DESIGN.md, section 5, the table of answers.
    static func kind(ofStatus status: Int) -> Kind {
        switch status {
        case 200...299: .accepted
        case 300...399: .redirected
        case 401: .unauthorized
        case 403: .forbidden
        case 404: .notFound
        case 408, 409: .uncertain
        case 429: .throttled
        case 425, 503: .unavailable
        case 400...499: .rejected
        case 500...: .serverError
        // Below 200: no final answer.
        default: .uncertain
        }
    }

    private static func taskID(in body: [UInt8]) -> String? {
        JSONText.member("task_id", of: body).flatMap { JSONID(token: $0)?.text }
    }
}
