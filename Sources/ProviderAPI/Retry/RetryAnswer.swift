/// What came of a retry call.
package struct RetryAnswer: Sendable, Equatable {
    /// The kind of the answer. Only names it: what follows from each kind is decided by the queue's table of answers
    /// (docs/architecture.md, "What each answer leads to").
    package enum Kind: String, Sendable, CaseIterable {
        /// 2xx with an answer that is empty, JSON or a short word.
        case accepted
        /// 408, 409, 423, no final status, an answer that is too large, or contact lost after sending. Also a 2xx whose
        /// answer says otherwise or is a web page, and a 425 or 503 that came late.
        case uncertain
        /// 429, for the call or for the login.
        case throttled
        /// 425 or 503; for the login also 408 and any other 5xx.
        case unavailable
        /// The call cannot have left this machine, or the login could not be reached.
        case unreachable
        /// 401 also with a renewed token, or no usable token.
        case unauthorized
        /// 403, or the server refuses our client certificate.
        case forbidden
        /// 404 or 410.
        case notFound = "not_found"
        /// Any other 4xx.
        case rejected
        /// 3xx, which is not followed.
        case redirected
        /// A status about our client, account or path, or about a proxy: it would be the same for every delivery.
        case clientRefused = "client_refused"
        /// 400 that says that `body` is not of the type that is wanted.
        case bodyForm = "body_form"
        /// 301 or 308 to the same path with a slash at its end, which is used from then on.
        case moved
        /// Any other 5xx.
        case serverError = "server_error"
        /// Not sent: when it was about to be, it was too late.
        case late
    }

    package var kind: Kind
    /// The number of the grant with which it was asked, see `ProviderSession`; nil: the answer says nothing of one.
    package var grant: Int?
    /// nil when no answer came.
    package var status: Int?
    /// How long the provider asks us to wait, from zero to one hour; nil when it does not say.
    package var retryAfter: Duration?
    /// The text of the `task_id` in a 2xx answer; nil when it names none. The log may show the retry under this id.
    package var namedTaskID: String?
    /// The cause, or the start of the answer's text: at most 300 characters, without control characters and without
    /// values of the sent body. nil after success and when there is nothing to say.
    package var detail: String?

    package init(
        kind: Kind, grant: Int? = nil, status: Int? = nil, retryAfter: Duration? = nil, namedTaskID: String? = nil,
        detail: String? = nil
    ) {
        self.kind = kind
        self.grant = grant
        self.status = status
        self.retryAfter = retryAfter
        self.namedTaskID = namedTaskID
        self.detail = detail.map { String($0.prefix(RefusalText.limit)) }
    }

    /// Reads an answer to the call.
    ///
    /// - Parameters:
    ///   - body: the body that the retry sent.
    ///   - token: must not be seen in the text.
    ///   - grant: the number of the token's grant.
    ///   - elapsed: how long the answer took.
    ///   - now: in milliseconds since 1970 UTC.
    init(
        _ response: HTTPResponse, toRetryOf body: [UInt8], hiding token: Secret? = nil, grant: Int? = nil,
        after elapsed: Duration = .zero, now: Int64
    ) {
        let retryAfter = RetryAfter.duration(in: response, now: now)
        let kind = Self.kind(of: response, isLate: elapsed > Self.promptly && retryAfter == nil)
        self.init(
            kind: kind,
            // A server that refuses our certificate has not looked at the token.
            grant: response.refusesClientCertificate ? nil : grant,
            status: response.status,
            retryAfter: retryAfter,
            namedTaskID: kind == .accepted ? Self.taskID(in: response.body) : nil,
            detail: kind == .accepted
                ? nil
                : kind == .redirected
                    ? Redirect(response).map { "Location: \($0.text)" }
                    : RefusalText.excerpt(
                        // Before it is cut, or the cut would leave a part of the token. A 2xx was not masked before.
                        RefusalText.mask(token.map { [$0.revealed] } ?? [], in: response.body), hidingValuesOf: body)
        )
    }

    /// A 503 or 425 that came within this time was given instead of a try. A later one may be a router's that has
    /// waited for the provider, as some do after 30 s.
    private static let promptly = Duration.seconds(5)

    private static func kind(of response: HTTPResponse, isLate: Bool) -> Kind {
        if response.refusesClientCertificate { return .forbidden }
        let kind = kind(ofStatus: response.status)
        switch kind {
        case .accepted where !AnswerText.takesOn(response.body): return .uncertain
        case .unavailable where isLate: return .uncertain
        case .rejected where response.status == 400 && AnswerText.wantsOtherBody(response.body): return .bodyForm
        default: return kind
        }
    }

    /// The kind for a call without a complete answer.
    init(_ error: TransportError) {
        switch error {
        case .notSent: self.init(kind: .unreachable, detail: error.label)
        // Nothing is known of the status of an answer that is too large.
        case .unknownOutcome, .responseTooLarge, .cancelled: self.init(kind: .uncertain, detail: error.label)
        }
    }

    /// The kind for a call that was not sent, or was answered with 401, because there is no usable token.
    init(withoutToken error: ProviderError) {
        let kind: Kind =
            switch error.reason {
            case .throttled: .throttled
            case .unavailable: .unavailable
            // A login may be repeated, so an unknown outcome does no harm.
            case .unreachable, .unknownOutcome, .cancelled: .unreachable
            case .redirected: .redirected
            case .forbidden: .forbidden
            case .unauthorized, .credential, .endpointNotFound, .rejected, .unreadableAnswer, .answerTooLarge:
                .unauthorized
            }
        self.init(kind: kind, retryAfter: error.retryAfter, detail: error.description)
    }

    /// The one table of statuses, for retries and for all other calls (docs/architecture.md, "What each answer leads
    /// to").
    static func kind(ofStatus status: Int) -> Kind {
        switch status {
        case 200...299: .accepted
        case 300...399: .redirected
        case 401: .unauthorized
        case 403: .forbidden
        case 404, 410: .notFound
        case 408, 409, 423: .uncertain
        case 429: .throttled
        case 425, 503: .unavailable
        case 402, 405, 406, 407, 411, 415, 417, 421, 426, 428, 431, 451, 501, 505, 511: .clientRefused
        case 400...499: .rejected
        case 500...: .serverError
        // Below 200: no final answer.
        default: .uncertain
        }
    }

    /// The call was not sent, because `isInTime` said so at the last moment.
    static let late = RetryAnswer(kind: .late, detail: "its log was read too long ago")

    /// The provider wants a slash at the end of the address. It was not executed; the next call has the slash.
    static let moved = RetryAnswer(kind: .moved, detail: "the address gets a slash at its end from now on")

    private static func taskID(in body: [UInt8]) -> String? {
        JSONText.member("task_id", of: body).flatMap { JSONID(token: $0[...])?.text }
    }
}
