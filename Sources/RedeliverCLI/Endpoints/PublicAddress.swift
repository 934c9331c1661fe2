/// A receiver's address for printing. It may hold a user name and a password.
enum PublicAddress {
    /// The address without the part before the `@` of its host.
    static func text(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let end = url[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        guard let mark = url[scheme.upperBound..<end].lastIndex(of: "@") else { return url }
        return url[..<scheme.upperBound] + "…" + url[mark...]
    }
}
