import Foundation

/// The rules for `provider.base_url`. It is never shown in a fault, because a wrong one may contain a password.
enum BaseURL {
    /// The address without slashes at the end.
    ///
    /// - Parameter allowsInsecure: also accept `http` for hosts other than this machine.
    static func check(_ text: String, allowsInsecure: Bool) throws(SettingProblem) -> String {
        let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"<>\"{}|\\^`".utf8.contains($0) }
        guard isPlain, let parts = URLComponents(string: text), let host = parts.encodedHost, !host.isEmpty,
            isHost(host), let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http"
        else {
            throw SettingProblem("expected an absolute address such as https://eu.amani.ai")
        }
        if parts.user != nil || parts.password != nil || text.contains("@") {
            throw SettingProblem("must not contain a user or password; they belong to provider.auth")
        }
        if parts.query != nil || parts.fragment != nil {
            throw SettingProblem("must not contain ? or #")
        }
        if let port = parts.port, !(1...65_535).contains(port) {
            throw SettingProblem("its port is outside 1…65535")
        }
        if scheme == "http", !allowsInsecure, !isLoopback(host) {
            throw SettingProblem(
                "http would send the token unprotected: use https, or set provider.allow_insecure_http: true")
        }
        return String(text.reversed().drop { $0 == "/" }.reversed())
    }

    /// A name, an IPv4 address or an IPv6 address in brackets; what `ProviderAPI` can call.
    private static func isHost(_ host: String) -> Bool {
        let allowed = host.contains(":") ? "[]0123456789abcdef:." : "abcdefghijklmnopqrstuvwxyz0123456789-._"
        return host.lowercased().allSatisfy(allowed.contains)
    }

    /// 127.0.0.0/8, ::1 and localhost. The name must be whole: `127.0.0.1.example.com` is another machine.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        if ["localhost", "::1", "[::1]"].contains(host) { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127"
            && octets.allSatisfy { octet in octet.allSatisfy { ("0"..."9").contains($0) } && UInt8(octet) != nil }
    }
}
