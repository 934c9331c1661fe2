import Crypto
import Foundation

/// The user tokens that the provider has given out, and the time until which it accepts them.
struct TokenStore: Sendable {
    private let fixedToken: String?
    private let signingKey: String
    private var accessExpiry: [String: Milliseconds] = [:]
    private var refreshTokens: Set<String> = []
    private var issued = 0

    init(fixedToken: String?, signingKey: String) {
        self.fixedToken = fixedToken
        self.signingKey = signingKey
    }

    /// Whether the token is the fixed one, or one of a login or refresh that has not expired.
    func accepts(_ token: String?, at now: Milliseconds) -> Bool {
        guard let token else { return false }
        return token == fixedToken || accessExpiry[token].map { now < $0 } ?? false
    }

    /// A new access token, which expires when `lifetime` has passed.
    mutating func issueAccess(at now: Milliseconds, lifetime: Milliseconds) -> String {
        accessExpiry = accessExpiry.filter { now < $0.value }
        let token = makeToken("access", at: now, until: now + lifetime)
        accessExpiry[token] = now + lifetime
        return token
    }

    /// A new refresh token, which is accepted until ``expireRefresh()``.
    mutating func issueRefresh(at now: Milliseconds) -> String {
        let token = makeToken("refresh", at: now, until: now + 86_400_000)
        refreshTokens.insert(token)
        return token
    }

    func acceptsRefresh(_ token: String) -> Bool {
        refreshTokens.contains(token)
    }

    /// Expires every access token of a login or refresh. The fixed token stays valid.
    mutating func expireAccess() {
        accessExpiry.removeAll()
    }

    /// Expires every refresh token.
    mutating func expireRefresh() {
        refreshTokens.removeAll()
    }

    /// A JWT, signed with HMAC-SHA256, with the claims of the vendor's framework.
    private mutating func makeToken(_ type: String, at now: Milliseconds, until expiry: Milliseconds) -> String {
        issued += 1
        let header = Self.base64URL(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
        let claims = """
            {"token_type":"\(type)","exp":\(expiry / 1000),"iat":\(now / 1000),"jti":"\(issued)-\(now)","user_id":1}
            """
        let message = header + "." + Self.base64URL(Array(claims.utf8))
        let key = SymmetricKey(data: Array(signingKey.utf8))
        let signature = HMAC<SHA256>.authenticationCode(for: Array(message.utf8), using: key)
        return message + "." + Self.base64URL(Array(signature))
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-")
            .replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
