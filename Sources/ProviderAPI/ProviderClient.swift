package import Logging

/// The calls of the provider's API that the worker uses: read a log page, ask for a retry, sign in. Those of operators
/// stand in `ProviderClient+Endpoints.swift`.
package struct ProviderClient: Sendable {
    /// Largest log page in bytes, after decompression.
    static let pageLimit = 64 << 20
    /// Largest answer of a retry call in bytes; nothing but a `task_id` and the start of an error text is used of it.
    static let retryAnswerLimit = 1 << 20

    private let base: BaseAddress?
    private let decoder: LogPageDecoder
    private let fields: FieldNames
    let requestTimeout: Duration
    private let transport: any HTTPTransport
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let session: ProviderSession?

    /// - Parameters:
    ///   - baseURL: absolute, http or https, without user, query and fragment, for example `https://eu.amani.ai`. With any
    ///     other every call fails as unreachable.
    ///   - requestTimeout: for each whole exchange, the answer's body included.
    ///   - now: milliseconds since 1970 UTC.
    package init(
        baseURL: String, credential: Credential, fields: FieldNames, requestTimeout: Duration,
        transport: any HTTPTransport, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        base = BaseAddress(baseURL)
        decoder = LogPageDecoder(fields: fields)
        self.fields = fields
        self.requestTimeout = requestTimeout
        self.transport = transport
        self.now = now
        self.logger = logger
        session = base.map { base in
            let login = ProviderLogin(base: base, timeout: requestTimeout, transport: transport, now: now)
            return ProviderSession(credential: credential, login: login, logger: logger)
        }
    }

    /// Reads one page of an endpoint's delivery log: the first one, or the one that an earlier page links to.
    package func logs(of endpointID: String, at page: PageLink? = nil) async throws(ProviderError) -> LogPage {
        let operation = ProviderOperation("reading the log of endpoint '\(endpointID)'")
        let base = try usableBase(operation)
        let url = page?.url ?? base.url("/api/v2/webhook_endpoint/\(PercentEncoding.segment(endpointID))/logs")
        let request = HTTPRequest(
            method: .get, url: url, headers: RequestHeaders.read, timeout: requestTimeout,
            responseLimit: Self.pageLimit)
        let response = try await call(request, operation)
        return try logPage(response, from: url, base, operation)
    }

    /// Reads the bytes of a single entry, kept from an earlier page, with the field names of today; nil when they still
    /// cannot be understood.
    package func logEntry(from raw: [UInt8]) -> LogEntry? {
        let page = [UInt8(ascii: "[")] + raw + [UInt8(ascii: "]")]
        guard case .entry(let entry)? = try? decoder.page(page).items.first else { return nil }
        return entry
    }

    /// A page's address that was kept from an earlier reading; nil when it is not, or no longer, of the configured
    /// origin: the token must not go there.
    package func pageLink(to url: String) -> PageLink? {
        base.flatMap { try? NextPage.link(url, from: $0.url("/"), within: $0) }
    }

    /// Asks the provider to send a failed delivery again. Never throws: every outcome is a value.
    package func retry(_ request: RetryRequest) async -> RetryAnswer {
        let base: BaseAddress
        do throws(ProviderError) {
            base = try usableBase(ProviderOperation("asking for a retry"))
        } catch {
            return RetryAnswer(withoutToken: error)
        }
        let call = HTTPRequest(
            method: .post, url: base.url("/api/v2/webhook_endpoint/retry"), headers: RequestHeaders.json,
            body: request.payload, timeout: requestTimeout, responseLimit: Self.retryAnswerLimit)
        do throws(CallFailure) {
            return RetryAnswer(try await authorized(call), toRetryOf: request.body, now: now())
        } catch {
            switch error {
            case .credential(let error): return RetryAnswer(withoutToken: error)
            case .transport(let error): return RetryAnswer(error)
            }
        }
    }

    /// Tries a credential again that failed before: reads its file, refreshes the token or logs in. A fixed token has
    /// nothing to try. After a refused login all calls fail at once until this succeeds.
    package func signIn() async throws(ProviderError) {
        _ = try usableBase(ProviderOperation("signing in"))
        try await session?.signIn()
    }

    /// Sends a request of an operation with the session's token.
    ///
    /// - Throws: for everything but a 2xx answer.
    func call(_ request: HTTPRequest, _ operation: ProviderOperation) async throws(ProviderError) -> HTTPResponse {
        let response: HTTPResponse
        do throws(CallFailure) {
            response = try await authorized(request)
        } catch {
            switch error {
            case .credential(let error): throw error
            case .transport(let error): throw operation.failed(error)
            }
        }
        if let error = operation.refusal(in: response, now: now()) { throw error }
        return response
    }

    func usableBase(_ operation: ProviderOperation) throws(ProviderError) -> BaseAddress {
        guard let base else {
            throw operation.error(.unreachable(cause: "base_url is not an absolute http or https URL"))
        }
        return base
    }

    private enum CallFailure: Error {
        /// No token could be had; the call was not sent, or it was answered with 401.
        case credential(ProviderError)
        case transport(TransportError)
    }

    /// Sends with the session's token and, after a 401, again with a refreshed one, and then with one of a new login.
    private func authorized(_ request: HTTPRequest) async throws(CallFailure) -> HTTPResponse {
        guard let session else { throw .transport(.notSent(.invalidRequest)) }
        var token: ProviderSession.Token
        do throws(ProviderError) {
            token = try await session.token()
        } catch {
            throw .credential(error)
        }
        var response = try await send(request, token)
        for _ in 0..<Self.renewalsPerCall where response.status == 401 {
            let renewed: ProviderSession.Token?
            do throws(ProviderError) {
                renewed = try await session.renewed(after: token)
            } catch {
                throw .credential(error)
            }
            guard let renewed else { return response }
            token = renewed
            response = try await send(request, token)
        }
        switch response.status {
        case 401: await session.refused(token)
        case 429, 500...: break  // May come from something before the provider that never looked at the token.
        default: await session.accepted(token)
        }
        return response
    }

    /// The refresh, and the login.
    private static let renewalsPerCall = 2

    private func send(
        _ request: HTTPRequest, _ token: ProviderSession.Token
    ) async throws(CallFailure) -> HTTPResponse {
        var request = request
        request.headers.append(HTTPHeader("Authorization", "Bearer \(token.secret.revealed)"))
        do throws(TransportError) {
            var response = try await transport.send(request)
            logger.trace(
                "provider answered",
                metadata: ["http.method": "\(request.method.rawValue)", "http.status": "\(response.status)"])
            // The text of a refusal is shown to people.
            if !(200...299).contains(response.status) {
                response.body = RefusalText.mask([token.secret.revealed], in: response.body)
            }
            return response
        } catch {
            throw .transport(error)
        }
    }

    private func logPage(
        _ response: HTTPResponse, from url: String, _ base: BaseAddress, _ operation: ProviderOperation
    ) throws(ProviderError) -> LogPage {
        let decoded: LogPageDecoder.Page
        do throws(LogPageDecoder.Fault) {
            decoded = try decoder.page(response.body)
        } catch {
            throw operation.unreadable(cause(error, response))
        }
        var page = LogPage(items: decoded.items)
        page.serverTime = response.serverTime(now: now())
        guard let reference = decoded.next ?? LinkHeader.next(in: response.values(of: "link")) else { return page }
        page.next = try nextPage(reference, from: url, base, operation)
        return page
    }

    /// A link to a further page, which must stay at the configured origin.
    func nextPage(
        _ reference: String, from url: String, _ base: BaseAddress, _ operation: ProviderOperation
    ) throws(ProviderError) -> PageLink {
        do throws(NextPage.Foreign) {
            return try NextPage.link(reference, from: url, within: base)
        } catch {
            throw operation.error(.foreignNextPage(origin: error.origin))
        }
    }

    private func cause(_ fault: LogPageDecoder.Fault, _ response: HTTPResponse) -> String {
        switch fault {
        case .syntax(let error): error.cause(in: response.body)
        case .noList:
            "the answer holds no list of entries, neither at its top nor under: "
                + fields.entries.joined(separator: ", ")
        case .badNext(let field):
            "the answer's '\(field)' is not the text of an address"
        }
    }
}
