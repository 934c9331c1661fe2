/// The absolute address of a log page, checked to be of the configured origin.
package struct PageLink: Sendable, Hashable {
    package let url: String

    init(url: String) {
        self.url = url
    }
}

/// Follows paging and keeps the bearer token at the configured origin.
enum NextPage {
    /// The link leads to another origin or to none; `origin` names it for a message.
    struct Foreign: Error, Equatable {
        let origin: String
    }

    /// Resolves a link on the page at `pageURL` (RFC 3986, 5.2). A fragment is dropped.
    ///
    /// The result begins with the configured origin and never with the link's own authority, so that no difference
    /// between URL parsers can lead the request elsewhere.
    static func link(_ reference: String, from pageURL: String, within base: BaseAddress) throws(Foreign) -> PageLink {
        let target = URLReference(trimmed(reference))
        let page = URLReference(pageURL)
        if target.scheme != nil || target.authority != nil {
            guard let authority = target.authority,
                let origin = try? Origin(scheme: target.scheme ?? base.origin.scheme, authority: authority)
            else { throw Foreign(origin: "an address that is not http or https, or not valid") }
            guard origin == base.origin else { throw Foreign(origin: origin.description) }
            return link(path: withoutDots(target.path), query: target.query, base)
        }
        if target.path.isEmpty { return link(path: page.path, query: target.query ?? page.query, base) }
        let path = target.path.hasPrefix("/") ? target.path : merge(target.path, onto: page.path)
        return link(path: withoutDots(path), query: target.query, base)
    }

    private static func link(path: String, query: String?, _ base: BaseAddress) -> PageLink {
        let absolute = path.hasPrefix("/") ? path : "/" + path
        let suffix = query.map { "?" + PercentEncoding.repaired($0) } ?? ""
        return PageLink(url: "\(base.origin)\(PercentEncoding.repaired(absolute))\(suffix)")
    }

    private static func merge(_ path: String, onto basePath: String) -> String {
        guard let slash = basePath.lastIndex(of: "/") else { return "/" + path }
        return basePath[...slash] + path
    }

    /// Resolves `.` and `..` segments (RFC 3986, 5.2.4), never above the root.
    private static func withoutDots(_ path: String) -> String {
        var kept: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                if kept.count > 1 { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return kept.joined(separator: "/")
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
