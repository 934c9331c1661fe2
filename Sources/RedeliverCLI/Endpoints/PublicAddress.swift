/// A receiver's address, fit to be printed: it may hold a user's name and password.
enum PublicAddress {
    /// Without what stands before the `@` of its host; all else, the query included, stays.
    static func text(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let end = url[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        guard let mark = url[scheme.upperBound..<end].lastIndex(of: "@") else { return url }
        return url[..<scheme.upperBound] + "…" + url[mark...]
    }
}
