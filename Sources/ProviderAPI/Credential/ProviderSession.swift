import Logging

/// Holds the token. Fetches it when a call first needs it, and renews it once for all calls that were refused together.
/// After a refused login it asks no more until ``signIn()``.
actor ProviderSession {
    /// A token that was handed out. The generation tells whether it has been renewed since.
    struct Token: Sendable {
        let secret: Secret
        /// The number of what it stands for: a new login, or another token in the file, has the next one. A refreshed
        /// token is of the same grant, because it stands for the same login.
        let grant: Int
        fileprivate let generation: Int
    }

    /// What is known of the held token. It decides the next step after a refusal: refresh, login or giving up. However
    /// many calls are refused, the refresh and the login are tried once each until a call succeeds.
    private enum Trust {
        /// A call has succeeded with it, or nothing speaks against it.
        case given
        /// It came from a refresh, and no call has succeeded with it.
        case refreshed
        /// It came from a login after a refusal, and no call has succeeded with it.
        case loggedIn
    }

    private let credential: Credential
    private let login: ProviderLogin
    private let logger: Logger
    private let steady: @Sendable () -> Duration
    private var tokens: ProviderLogin.Tokens?
    private var generation = 0
    private var grant = 0
    /// The token that the file held last.
    private var lastInFile: Secret?
    private var trust = Trust.given
    /// When the held token was issued, by `steady`; nil: a call got through with it.
    private var issued: Duration?
    /// The callers that wait for the renewal of another caller; nil when no renewal runs.
    private var waiting: [CheckedContinuation<Result<Token, ProviderError>?, Never>]?
    /// Set by a refused login. Further attempts could lock the account.
    private var failure: ProviderError?

    /// - Parameter clock: by which new tokens age.
    init(credential: Credential, login: ProviderLogin, clock: any Clock<Duration>, logger: Logger) {
        self.credential = credential
        self.login = login
        steady = stopwatch(clock)
        self.logger = logger
    }

    /// The token to send now. Logs in when there is none.
    ///
    /// - Throws: the error of a refused login again and again, until ``signIn()`` succeeds.
    func token() async throws(ProviderError) -> Token {
        switch credential {
        case .token(let secret): return try usable(secret, from: "the configured token")
        case .tokenFile(let path):
            let secret = try read(path)
            if secret != lastInFile { grant += 1 }
            lastInFile = secret
            return try usable(secret, from: "the token in \(path)")
        case .login:
            if let failure { throw failure }
            if let held { return held }
            return try await renewed()
        }
    }

    /// The token with which to repeat a call after the provider refused `stale` (401); nil when there is no other one.
    func renewed(after stale: Token) async throws(ProviderError) -> Token? {
        switch credential {
        case .token: return nil
        case .tokenFile:
            let current = try await token()
            return current.secret == stale.secret ? nil : current
        case .login:
            if let failure { throw failure }
            if let current = held, current.generation != stale.generation { return current }
            switch trust {
            case .given: return try await renewed()
            case .refreshed:
                // The provider refuses the tokens that its refresh gives.
                tokens?.refresh = nil
                return try await renewed()
            case .loggedIn:
                refused(stale)
                return nil
            }
        }
    }

    /// Notes that a call succeeded with this token.
    func accepted(_ token: Token) {
        guard token.generation == generation else { return }
        trust = .given
        issued = nil
    }

    /// A new token that is refused is tried again at these ages. Where the provider's clocks differ a little, a token
    /// may not be valid yet when it is issued.
    static let tries: [Duration] = [.seconds(1), .seconds(3), .seconds(8)]

    /// How long to wait before a token that was refused (401) is tried again; nil: it counts as refused. Only a token
    /// of a login or a refresh is waited for, and only until a call got through with it.
    func patience(for token: Token) -> Duration? {
        guard case .login = credential, token.generation == generation, let issued else { return nil }
        let age = steady() - issued
        return Self.tries.first { $0 > age }.map { $0 - age }
    }

    /// Notes that the provider refused a token after all renewals. Further calls fail at once.
    func refused(_ token: Token) {
        guard case .login = credential, token.generation == generation else { return }
        tokens = nil
        failure = ProviderError(operation: "using a renewed token", reason: .unauthorized)
    }

    /// Tries a failed credential again: reads the file, refreshes or logs in. Does nothing for a fixed token; the next
    /// call shows whether it is good.
    func signIn() async throws(ProviderError) {
        switch credential {
        case .token, .tokenFile: _ = try await token()
        case .login:
            failure = nil
            _ = try await renewed()
        }
    }

    private var held: Token? {
        tokens.map { Token(secret: $0.access, grant: grant, generation: generation) }
    }

    /// Renews once for all callers that ask together. The renewal runs in the first caller's task, so that the
    /// simulation sees it.
    private func renewed() async throws(ProviderError) -> Token {
        while waiting != nil {
            if let result = await withCheckedContinuation({ waiting?.append($0) }) { return try result.get() }
        }
        waiting = []
        let result = await renew()
        let others = waiting ?? []
        waiting = nil
        // When the first caller was cancelled, one of the others begins again.
        let isCancelled = if case .failure(let error) = result { error.reason == .cancelled } else { false }
        for other in others { other.resume(returning: isCancelled ? nil : result) }
        return try result.get()
    }

    private func renew() async -> Result<Token, ProviderError> {
        do throws(ProviderError) {
            let isFirst = generation == 0
            let (fresh, origin) = try await newTokens()
            tokens = fresh
            trust = isFirst ? .given : origin
            generation += 1
            issued = steady()
            if origin == .loggedIn { grant += 1 }
            failure = nil
            return .success(Token(secret: fresh.access, grant: grant, generation: generation))
        } catch {
            if case .credential = error.reason {
                tokens = nil
                failure = error
            }
            return .failure(error)
        }
    }

    private func newTokens() async throws(ProviderError) -> (ProviderLogin.Tokens, Trust) {
        guard case .login(let username, let source) = credential else {
            throw ProviderError(operation: "logging in", reason: .credential(reason: "no user name is configured"))
        }
        if let refresh = tokens?.refresh, let fresh = try await login.refresh(refresh) {
            logger.debug("token refreshed")
            return (fresh, .refreshed)
        }
        let password =
            switch source {
            case .value(let secret): secret
            case .file(let path): try read(path)
            }
        let fresh = try await login.logIn(username: username, password: password)
        logger.info("logged in to the provider", metadata: ["provider.user": "\(username)"])
        return (fresh, .loggedIn)
    }

    private func read(_ path: String) throws(ProviderError) -> Secret {
        do throws(SecretFile.Fault) {
            return try SecretFile.read(path).get()
        } catch {
            throw ProviderError(operation: "reading the credential", reason: .credential(reason: error.reason(path)))
        }
    }

    private func usable(_ secret: Secret, from source: String) throws(ProviderError) -> Token {
        if let problem = BearerToken.problem(of: secret.revealed) {
            let reason = "\(source) \(problem)"
            throw ProviderError(operation: "reading the credential", reason: .credential(reason: reason))
        }
        return Token(secret: secret, grant: grant, generation: 0)
    }
}
