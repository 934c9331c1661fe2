import ProviderAPI

/// The address at which metrics are served: `127.0.0.1:9464`, `[::1]:9464`, `0.0.0.0:9464`.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IP address without brackets, or `localhost`.
    package let host: String
    package let port: Int

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// nil for any other text. A host name is refused, because it may mean another machine, or change.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(digits: text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.allSatisfy({ $0.isASCII && ($0.isHexDigit || ":.".contains($0)) }) else {
                return nil
            }
        } else {
            let octets = host.split(separator: ".", omittingEmptySubsequences: false)
            let isAddress = octets.count == 4 && octets.allSatisfy { UInt8(digits: $0) != nil }
            guard isAddress || host == "localhost" else { return nil }
        }
        self.host = String(host)
        self.port = port
    }
}
