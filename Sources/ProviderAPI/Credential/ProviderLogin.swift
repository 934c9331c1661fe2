/// The two calls that fetch tokens (docs/provider-api.md, "Documented: authentication").
struct ProviderLogin: Sendable {
    struct Tokens: Sendable {
        var access: Secret
        /// nil when the provider gives none; the next renewal is then a login.
        var refresh: Secret?
    }

    /// Largest answer in bytes.
    private static let answerLimit = 1 << 20

    let base: BaseAddress
    let timeout: Duration
    let transport: any HTTPTransport
    /// Our clock in milliseconds since 1970 UTC.
    let now: @Sendable () -> Int64

    /// Fetches tokens for a user.
    ///
    /// - Throws: `credential` when the provider refuses the login, another reason when it gave no verdict.
    func logIn(username: String, password: Secret) async throws(ProviderError) -> Tokens {
        let operation = ProviderOperation("logging in as '\(username)'")
        let fields = [("username", username), ("password", password.revealed)]
        let response = try await post("/api/v2/user/login", fields, operation)
        switch ProviderError.reason(of: response, now: now()) {
        case nil:
            return try tokens(response, operation)
        case .forbidden:
            throw operation.error(
                .credential(
                    reason: "the provider forbids the login (HTTP 403), whatever the password: check any IP allow-list "
                        + "and whether this user may use the API"))
        case .unauthorized, .rejected:
            throw operation.error(
                .credential(
                    reason: "the provider refused the login (HTTP \(response.status)): check the user name, the "
                        + "password and whether the account is locked"))
        case .endpointNotFound:
            throw operation.error(.credential(reason: "there is no login at this address (HTTP 404): check base_url"))
        case let reason?:
            throw operation.error(reason)
        }
    }

    /// Fetches new tokens for a refresh token; nil when the provider refuses it, and only a login helps.
    ///
    /// - Throws: when the provider gave no verdict.
    func refresh(_ token: Secret) async throws(ProviderError) -> Tokens? {
        let operation = ProviderOperation("refreshing the token")
        let response = try await post("/api/v2/token/refresh/", [("refresh", token.revealed)], operation)
        switch ProviderError.reason(of: response, now: now()) {
        case nil:
            var tokens = try tokens(response, operation)
            // A provider that rotates refresh tokens names the new one. Otherwise the old one stays good.
            tokens.refresh = tokens.refresh ?? token
            return tokens
        case .unauthorized, .forbidden, .rejected, .endpointNotFound: return nil
        case let reason?: throw operation.error(reason)
        }
    }

    private func post(
        _ path: String, _ fields: [(name: String, value: String)], _ operation: ProviderOperation
    ) async throws(ProviderError) -> HTTPResponse {
        let request = HTTPRequest(
            method: .post, url: base.url(path), headers: RequestHeaders.json, body: JSONText.object(ofTexts: fields),
            timeout: timeout, responseLimit: Self.answerLimit)
        do throws(TransportError) {
            return try await transport.send(request)
        } catch {
            throw operation.failed(error)
        }
    }

    private func tokens(_ response: HTTPResponse, _ operation: ProviderOperation) throws(ProviderError) -> Tokens {
        func text(_ name: String) -> Secret? {
            JSONText.member(name, of: response.body).flatMap { JSONText.string($0[...]) }
                .flatMap { BearerToken.isUsable($0) ? Secret($0) : nil }
        }
        guard let access = text("access") else {
            throw operation.unreadable("the answer holds no usable 'access' token: is base_url right?")
        }
        return Tokens(access: access, refresh: text("refresh"))
    }
}

/// The header fields of calls without (`read`) and with a JSON body (`json`).
enum RequestHeaders {
    static let read = [
        HTTPHeader("Accept", "application/json"), HTTPHeader("Accept-Encoding", "gzip"),
        HTTPHeader("User-Agent", "redeliver"),
    ]
    static let json = read + [HTTPHeader("Content-Type", "application/json")]
}
