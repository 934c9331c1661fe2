/// The ten calls of the provider's API, under the names of `--fault`.
enum Operation: String, CaseIterable, Codable, Sendable {
    case events, create, secret, rotate, update, logs, retry, test, login, refresh

    /// Whether the call needs a token. Login and refresh are the calls that give one.
    var needsToken: Bool { self != .login && self != .refresh }

    /// The operation of a request line and the endpoint id in its path; nil for an undocumented call.
    ///
    /// Compares paths exactly, a slash at the end included, because the vendor may not forgive a difference.
    static func match(method: String, path: String) -> (operation: Operation, endpointID: String?)? {
        switch (method, path) {
        case ("GET", "/api/v2/events"): return (.events, nil)
        case ("POST", "/api/v2/webhook_endpoint"): return (.create, nil)
        case ("POST", "/api/v2/webhook_endpoint/retry"): return (.retry, nil)
        case ("POST", "/api/v2/user/login"): return (.login, nil)
        case ("POST", "/api/v2/token/refresh/"): return (.refresh, nil)
        default: break
        }
        let prefix = "/api/v2/webhook_endpoint/"
        guard path.hasPrefix(prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard let endpointID = parts.first, !endpointID.isEmpty, parts.count <= 2 else { return nil }
        switch (method, parts.count == 2 ? parts[1] : nil) {
        case ("PUT", nil): return (.update, endpointID)
        case ("GET", "secret"): return (.secret, endpointID)
        case ("PATCH", "secret"): return (.rotate, endpointID)
        case ("GET", "logs"): return (.logs, endpointID)
        case ("POST", "test"): return (.test, endpointID)
        default: return nil
        }
    }
}
