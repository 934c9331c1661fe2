import Synchronization

/// Where a redirect leads. No redirect is followed, with one exception: ``LearnedSlashes``.
struct Redirect {
    /// The longest address that is shown, in characters.
    private static let shown = 200

    private let target: URLReference
    private let location: String

    /// nil when the answer is no redirect, or names no place.
    init?(_ response: HTTPResponse) {
        guard (300..<400).contains(response.status), let location = response.header("location") else { return nil }
        self.location = location
        target = URLReference(location)
    }

    /// The address for people, without user information and query.
    var text: String {
        let host = target.authority.map { "//" + ($0.split(separator: "@").last.map(String.init) ?? "") } ?? ""
        let scheme = target.scheme.map { $0 + ":" } ?? ""
        return Printable.text(String((scheme + host + target.path).prefix(Self.shown)))
    }

    /// Whether it leads to the same path with a slash at its end, on the same origin.
    func addsSlash(to url: String) -> Bool {
        let asked = URLReference(url)
        guard !asked.path.hasSuffix("/"), target.path == asked.path + "/", target.query == asked.query else {
            return false
        }
        guard target.authority != nil || target.scheme != nil else { return true }
        guard let one = try? asked.origin(), let other = try? target.origin() else { return false }
        return one == other
    }
}

/// Addresses that the provider wants with a slash at their end, as Django does. Learned from a permanent redirect to
/// exactly that, on our own origin.
final class LearnedSlashes: Sendable {
    /// Without their queries.
    private let addresses = Mutex<Set<String>>([])

    /// The address to ask.
    func applied(to url: String) -> String {
        let (address, query) = Self.parts(url)
        return addresses.withLock { $0.contains(address) } ? address + "/" + query : url
    }

    /// Whether the address got its slash from here.
    func changes(_ url: String) -> Bool { applied(to: url) != url }

    /// Learns from an answer.
    ///
    /// - Parameter url: what was asked.
    /// - Returns: whether the address has a slash from now on.
    func learn(from response: HTTPResponse, to url: String) -> Bool {
        guard response.status == 301 || response.status == 308, let redirect = Redirect(response),
            redirect.addsSlash(to: url)
        else { return false }
        addresses.withLock { _ = $0.insert(Self.parts(url).address) }
        return true
    }

    private static func parts(_ url: String) -> (address: String, query: String) {
        guard let mark = url.firstIndex(of: "?") else { return (url, "") }
        return (String(url[..<mark]), String(url[mark...]))
    }
}
