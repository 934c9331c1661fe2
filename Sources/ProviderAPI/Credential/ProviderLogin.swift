/// The two calls that fetch tokens (provider-api.md, Documented: authentication).
struct ProviderLogin: Sendable {
    struct Tokens: Sendable {
        var access: Secret
        var refresh: Secret?
    }

    /// Largest answer read, in bytes.
    private static let answerLimit = 1 << 20

    let base: BaseAddress
    let timeout: Duration
    let transport: any HTTPTransport
    /// Milliseconds since 1970 UTC.
    let now: @Sendable () -> Int64

    /// - Throws: `credential` when the provider refuses the login; any other reason means that it could not be asked.
    func logIn(username: String, password: Secret) async throws(ProviderError) -> Tokens {
        let operation = "logging in as '\(username)'"
        var body = Array("{\"username\": ".utf8) + JSONText.quoted(username)
        body += Array(", \"password\": ".utf8) + JSONText.quoted(password.revealed) + [Byte.closeBrace]
        let response = try await post("/api/v2/user/login", body, operation)
        switch ProviderError.reason(of: response, now: now()) {
        case nil:
            return try tokens(response, operation)
        case .unauthorized, .forbidden, .rejected:
            let reason =
                "the provider refused the login (HTTP \(response.status)): check the user name, the password and "
                + "whether the account is locked"
            throw ProviderError(operation: operation, reason: .credential(reason: reason))
        case .endpointNotFound:
            let reason = "there is no login at this address (HTTP 404): check base_url"
            throw ProviderError(operation: operation, reason: .credential(reason: reason))
        case let reason?:
            throw ProviderError(operation: operation, reason: reason)
        }
    }

    /// nil when the provider refuses the refresh token, which then needs a login.
    func refresh(_ token: Secret) async throws(ProviderError) -> Tokens? {
        let operation = "refreshing the token"
        let body = Array("{\"refresh\": ".utf8) + JSONText.quoted(token.revealed) + [Byte.closeBrace]
        let response = try await post("/api/v2/token/refresh/", body, operation)
        switch ProviderError.reason(of: response, now: now()) {
        case nil:
            var tokens = try tokens(response, operation)
            // A provider that rotates refresh tokens names the new one; otherwise the old one stays good.
            tokens.refresh = tokens.refresh ?? token
            return tokens
        case .unauthorized, .forbidden, .rejected, .endpointNotFound: return nil
        case let reason?: throw ProviderError(operation: operation, reason: reason)
        }
    }

    private func post(_ path: String, _ body: [UInt8], _ operation: String) async throws(ProviderError) -> HTTPResponse
    {
        let request = HTTPRequest(
            method: .post, url: base.url(path), headers: RequestHeaders.json, body: body, timeout: timeout,
            responseLimit: Self.answerLimit)
        do throws(TransportError) {
            return try await transport.send(request)
        } catch {
            throw ProviderError(operation: operation, reason: ProviderError.reason(of: error))
        }
    }

    private func tokens(_ response: HTTPResponse, _ operation: String) throws(ProviderError) -> Tokens {
        func text(_ name: String) -> Secret? {
            JSONText.member(name, of: response.body).flatMap { JSONText.string($0) }
                .flatMap { BearerToken.isUsable($0) ? Secret($0) : nil }
        }
        guard let access = text("access") else {
            let cause = "the answer holds no usable 'access' token: is base_url right?"
            throw ProviderError(operation: operation, reason: .unreadableAnswer(cause: cause))
        }
        return Tokens(access: access, refresh: text("refresh"))
    }
}

/// What a token must be to stand in a header.
enum BearerToken {
    /// Visible ASCII only: anything else would be refused by the HTTP client, or change the header.
    static func isUsable(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

/// Header fields shared by the calls.
enum RequestHeaders {
    static let read = [
        HTTPHeader("Accept", "application/json"), HTTPHeader("Accept-Encoding", "gzip"),
        HTTPHeader("User-Agent", "redeliver"),
    ]
    static let json = read + [HTTPHeader("Content-Type", "application/json")]
}
