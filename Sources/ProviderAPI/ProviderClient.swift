package import Logging

/// Makes the calls of the provider's API that the worker needs: reads log pages, asks for retries, signs in. The calls
/// for operators are in `Management/ProviderClient+Endpoints.swift`.
package struct ProviderClient: Sendable {
    /// Largest log page in bytes, after decompression.
    static let pageLimit = 64 << 20
    /// Largest answer of a retry call in bytes. Only a `task_id` or the start of an error text is used.
    static let retryAnswerLimit = 1 << 20
    /// Renewals of the token within one call: the refresh, then the login.
    private static let renewalsPerCall = 2
    /// How long one call waits at most until new tokens are valid: the held one, a refreshed one, and one of a new
    /// login.
    package static let longestPatience = (ProviderSession.tries.last ?? .zero) * (renewalsPerCall + 1)

    let base: BaseAddress
    private let decoder: LogPageDecoder
    private let fields: FieldNames
    package let requestTimeout: Duration
    private let transport: any HTTPTransport
    private let now: @Sendable () -> Int64
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let session: ProviderSession
    private let slashes = LearnedSlashes()

    /// - Parameters:
    ///   - requestTimeout: time for each whole exchange, the answer's body included.
    ///   - now: our clock in milliseconds since 1970 UTC.
    ///   - clock: for the waits until a new token is valid.
    package init(
        baseURL: BaseAddress, credential: Credential, fields: FieldNames, requestTimeout: Duration,
        transport: any HTTPTransport, now: @escaping @Sendable () -> Int64,
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        base = baseURL
        decoder = LogPageDecoder(fields: fields)
        self.fields = fields
        self.requestTimeout = requestTimeout
        self.transport = transport
        self.now = now
        self.clock = clock
        self.logger = logger
        let login = ProviderLogin(base: base, timeout: requestTimeout, transport: transport, now: now)
        session = ProviderSession(credential: credential, login: login, clock: clock, logger: logger)
    }

    /// Reads one page of an endpoint's delivery log.
    ///
    /// - Parameter page: the link of an earlier page; nil reads the first page.
    package func logs(of endpointID: String, at page: PageLink? = nil) async throws(ProviderError) -> LogPage {
        let operation = ProviderOperation("reading the log of endpoint '\(endpointID)'")
        let url = page?.url ?? base.url("/api/v2/webhook_endpoint/\(PercentEncoding.segment(endpointID))/logs")
        let request = HTTPRequest(
            method: .get, url: url, headers: RequestHeaders.read, timeout: requestTimeout,
            responseLimit: Self.pageLimit)
        let (response, grant) = try await answered(request, operation)
        var page = try logPage(response, from: url, operation)
        page.grant = grant
        return page
    }

    /// Reads again an entry that could not be understood, with the field names that are now configured; nil when the
    /// bytes are no row that could stand in a page.
    ///
    /// - Parameter raw: the entry's bytes as ``UnreadableEntry/raw`` holds them, all of them.
    package func logItem(from raw: [UInt8]) -> LogPage.Item? {
        let page = [UInt8(ascii: "[")] + raw + [UInt8(ascii: "]")]
        return try? decoder.page(page).items.first
    }

    /// A link to a page whose address was stored earlier; nil when the address is not below `base_url`, because it is
    /// of another provider then.
    package func pageLink(to url: String) -> PageLink? {
        guard let target = try? NextPage.target(url, from: base.url("/"), within: base), target.correction == nil else {
            return nil
        }
        return target.link
    }

    /// Asks the provider to send a failed delivery again. Whatever comes of the call is a value; nothing is thrown.
    ///
    /// - Parameter isInTime: asked each time when the call is about to be sent; when it says no, nothing is sent.
    package func retry(
        _ request: RetryRequest, if isInTime: @Sendable () async -> Bool = { true }
    ) async -> RetryAnswer {
        let call = HTTPRequest(
            method: .post, url: base.url("/api/v2/webhook_endpoint/retry"), headers: RequestHeaders.json,
            body: request.payload, timeout: requestTimeout, responseLimit: Self.retryAnswerLimit)
        let began = now()
        do throws(CallFailure) {
            let isSlashKnown = slashes.changes(call.url)
            let (response, token) = try await authorized(call, if: isInTime)
            if !isSlashKnown, (300..<400).contains(response.status), slashes.changes(call.url) { return .moved }
            let ended = now()
            return RetryAnswer(
                response, toRetryOf: request.body, hiding: token.secret, grant: token.grant,
                after: .milliseconds(max(0, ended - began)), now: ended)
        } catch {
            switch error {
            case .credential(let error): return RetryAnswer(withoutToken: error)
            case .transport(let error): return RetryAnswer(error)
            case .late: return .late
            }
        }
    }

    /// Tries a failed credential again: reads its file, refreshes the token or logs in. Does nothing for a fixed token.
    /// After a refused login, all calls fail at once until this succeeds.
    package func signIn() async throws(ProviderError) {
        try await session.signIn()
    }

    /// Sends a request with the session's token.
    ///
    /// - Throws: for everything but a 2xx answer, in the words of `operation`.
    func call(_ request: HTTPRequest, _ operation: ProviderOperation) async throws(ProviderError) -> HTTPResponse {
        try await answered(request, operation).response
    }

    /// As `call`, with the number of the token's grant.
    private func answered(
        _ request: HTTPRequest, _ operation: ProviderOperation
    ) async throws(ProviderError) -> (response: HTTPResponse, grant: Int) {
        let (response, token): (HTTPResponse, ProviderSession.Token)
        do throws(CallFailure) {
            (response, token) = try await authorized(request)
        } catch {
            switch error {
            case .credential(let error): throw error
            case .transport(let error): throw operation.failed(error)
            case .late: throw operation.failed(.cancelled)
            }
        }
        if let error = operation.refusal(in: response, now: now()) { throw error }
        return (response, token.grant)
    }

    private enum CallFailure: Error {
        /// There is no token. The call was not sent, or it was answered with 401.
        case credential(ProviderError)
        case transport(TransportError)
        /// It was too late to send it. After a 401 nothing was executed either.
        case late
    }

    /// Sends with the session's token. After a 401, sends again with a refreshed token, then with one of a new login;
    /// each of them again after some seconds, while it is new.
    private func authorized(
        _ request: HTTPRequest, if isInTime: @Sendable () async -> Bool = { true }
    ) async throws(CallFailure) -> (response: HTTPResponse, token: ProviderSession.Token) {
        var token: ProviderSession.Token
        do throws(ProviderError) {
            token = try await session.token()
        } catch {
            throw .credential(error)
        }
        var response = try await sendPatiently(request, token, if: isInTime)
        for _ in 0..<Self.renewalsPerCall where response.status == 401 {
            let renewed: ProviderSession.Token?
            do throws(ProviderError) {
                renewed = try await session.renewed(after: token)
            } catch {
                throw .credential(error)
            }
            guard let renewed else { return (response, token) }
            token = renewed
            response = try await sendPatiently(request, token, if: isInTime)
        }
        switch response.status {
        case 401: await session.refused(token)
        case 429, 500...: break  // A proxy or load balancer may have sent it without a look at the token.
        default: await session.accepted(token)
        }
        return (response, token)
    }

    /// Sends with a token, and again with the same one while it is refused and so new that it may not be valid yet.
    private func sendPatiently(
        _ request: HTTPRequest, _ token: ProviderSession.Token, if isInTime: @Sendable () async -> Bool
    ) async throws(CallFailure) -> HTTPResponse {
        guard await isInTime() else { throw .late }
        var response = try await send(request, token)
        while response.status == 401, let wait = await session.patience(for: token) {
            logger.debug("a new token is refused; the same one is tried again", metadata: ["next.in": "\(wait)"])
            // A 401 was not executed, so a call that is given up now was not either.
            guard (try? await clock.sleep(for: wait)) != nil, await isInTime() else { throw .late }
            response = try await send(request, token)
        }
        return response
    }

    private func send(
        _ request: HTTPRequest, _ token: ProviderSession.Token
    ) async throws(CallFailure) -> HTTPResponse {
        var request = request
        request.headers.append(HTTPHeader("Authorization", "Bearer \(token.secret.revealed)"))
        request.url = slashes.applied(to: request.url)
        do throws(TransportError) {
            var response = try await transport.send(request)
            if slashes.learn(from: response, to: request.url) {
                logger.notice(
                    "the provider wants a slash at the end of this address; it gets one from now on",
                    metadata: ["path": "\(Printable.text(URLReference(request.url).path))"])
                // A call that changes something is made anew by whoever made it, as any call that was not executed.
                if request.method == .get {
                    request.url = slashes.applied(to: request.url)
                    response = try await transport.send(request)
                }
            }
            logger.trace(
                "provider answered",
                metadata: ["http.method": "\(request.method.rawValue)", "http.status": "\(response.status)"])
            // People get to see the text of a refusal.
            if !(200...299).contains(response.status) {
                response.body = RefusalText.mask([token.secret.revealed], in: response.body)
            }
            return response
        } catch {
            throw .transport(error)
        }
    }

    private func logPage(
        _ response: HTTPResponse, from url: String, _ operation: ProviderOperation
    ) throws(ProviderError) -> LogPage {
        let decoded: LogPageDecoder.Page
        do throws(LogPageDecoder.Fault) {
            decoded = try decoder.page(response.body)
        } catch {
            throw operation.unreadable(cause(error, response))
        }
        var page = LogPage(items: decoded.items, count: decoded.count)
        page.serverTime = response.serverTime(now: now())
        if let reference = decoded.next ?? LinkHeader.next(in: response.values(of: "link")) {
            do throws(ProviderError) {
                let target = try nextPage(reference, from: url, operation)
                (page.next, page.nextCorrection) = (target.link, target.correction)
            } catch {
                page.nextFault = error
            }
        } else if let field = decoded.badNext {
            page.nextFault = operation.unreadable(
                "the answer's '\(field)' is not the text of an address, or longer than \(NextPage.limit) bytes")
        }
        return page
    }

    /// The next page to which the answer from `url` links, below `base_url` whatever origin the link names.
    ///
    /// - Throws: `unreadableAnswer` when the link is no address of http or https.
    func nextPage(
        _ reference: String, from url: String, _ operation: ProviderOperation
    ) throws(ProviderError) -> NextPage.Target {
        do throws(NextPage.Unusable) {
            return try NextPage.target(reference, from: url, within: base)
        } catch {
            throw operation.unreadable(error.cause)
        }
    }

    private func cause(_ fault: LogPageDecoder.Fault, _ response: HTTPResponse) -> String {
        switch fault {
        case .syntax(let error): error.cause(in: response.body)
        case .noList:
            "the answer holds no list of entries, neither at its top nor under: "
                + fields.entries.joined(separator: ", ")
        }
    }
}
