/// The absolute address of a log page: of the configured origin and below the path of `base_url`.
package struct PageLink: Sendable, Hashable {
    package let url: String

    init(url: String) {
        self.url = url
    }

    /// The page behind this one where pages are numbered, by `page`, or by `offset` and `limit`; nil where they are
    /// not.
    package var following: PageLink? {
        let mostPages = 1_000_000_000
        let reference = URLReference(url)
        guard let query = reference.query else { return nil }
        var items = query.split(separator: "&", omittingEmptySubsequences: false).map(String.init)
        let numbers = items.reduce(into: [String: Int]()) { numbers, item in
            let parts = item.split(separator: "=", maxSplits: 1)
            if parts.count == 2, let number = Int(parts[1]), (0...mostPages).contains(number) {
                numbers[String(parts[0])] = number
            }
        }
        let next: (name: String, number: Int)
        if let page = numbers["page"] {
            next = ("page", page + 1)
        } else if let offset = numbers["offset"], let limit = numbers["limit"], limit > 0 {
            next = ("offset", offset + limit)
        } else {
            return nil
        }
        items = items.map { $0.hasPrefix("\(next.name)=") ? "\(next.name)=\(next.number)" : $0 }
        return PageLink(url: String(url.dropLast(query.count)) + items.joined(separator: "&"))
    }
}

/// What the provider's link to a next page has wrong, as behind a proxy whose address the provider does not know. The
/// link is followed all the same, below `base_url`.
package struct LinkCorrection: Sendable, Hashable {
    /// The other origin that the link names, such as `http://inner-host:8000`; nil when it names ours or none.
    package let origin: String?
    /// The path of `base_url`, such as `/gw`, when the link lacks it; nil when it has it.
    package let prefix: String?

    package init(origin: String?, prefix: String?) {
        self.origin = origin
        self.prefix = prefix
    }
}

/// Follows paging and keeps the bearer token at the configured origin.
enum NextPage {
    /// Longest address of a further page in bytes. Servers take no longer ones, and it is stored.
    static let limit = 8_192

    /// The link is none that can be followed.
    struct Unusable: Error, Equatable {
        let cause: String
    }

    struct Target: Equatable {
        let link: PageLink
        /// nil when the link was followed as it is.
        let correction: LinkCorrection?
    }

    /// Resolves a link on the page at `pageURL` (RFC 3986, 5.2). A fragment is dropped. Of a link to another origin
    /// path and query count, and a path that lacks the one of `base` gets it. Where a path may have it or lack it, as
    /// `/api/logs` behind a gateway that takes `/api` away, the page's own path tells.
    ///
    /// The result begins with the configured origin and never with the link's own authority, so that no difference
    /// between URL parsers can lead the request elsewhere.
    static func target(
        _ reference: String, from pageURL: String, within base: BaseAddress
    ) throws(Unusable) -> Target {
        guard reference.utf8.count <= limit else {
            throw Unusable(cause: "the address of the next page is longer than \(limit) bytes")
        }
        let link = URLReference(trimmed(reference))
        let page = URLReference(pageURL)
        if link.scheme != nil || link.authority != nil {
            guard let authority = link.authority,
                let origin = try? Origin(scheme: link.scheme ?? base.origin.scheme, authority: authority)
            else { throw Unusable(cause: "the address of the next page is not http or https, or not valid") }
            return target(path: link.path, query: link.query, of: origin, base, on: page.path)
        }
        if link.path.isEmpty { return target(path: page.path, query: link.query ?? page.query, of: base.origin, base) }
        // A relative path is resolved against the page's own, so it has whatever that has.
        guard link.path.hasPrefix("/") else {
            return target(path: merge(link.path, onto: page.path), query: link.query, of: base.origin, base)
        }
        return target(path: link.path, query: link.query, of: base.origin, base, on: page.path)
    }

    /// - Parameter page: the path of the page with the link, where the link may lack the path of `base` even if it
    ///   seems to begin with it; nil: it does not.
    private static func target(
        path: String, query: String?, of origin: Origin, _ base: BaseAddress, on page: String? = nil
    ) -> Target {
        let path = PercentEncoding.repaired(URLReference.withoutDots(path.hasPrefix("/") ? path : "/" + path))
        let prefix = base.pathPrefix
        let seemsInside = path == prefix || path.hasPrefix(prefix + "/")
        let isInside = seemsInside && !(page.map { isSamePlace(prefix + path, $0) && !isSamePlace(path, $0) } ?? false)
        let suffix = query.map { "?" + PercentEncoding.repaired($0) } ?? ""
        let isCorrect = origin == base.origin && isInside
        return Target(
            link: PageLink(url: "\(base.origin)\(isInside ? "" : prefix)\(path)\(suffix)"),
            correction: isCorrect
                ? nil
                : LinkCorrection(
                    origin: origin == base.origin ? nil : origin.description, prefix: isInside ? nil : prefix))
    }

    /// Whether two paths name the same resource; a slash at the end makes no difference.
    private static func isSamePlace(_ first: String, _ second: String) -> Bool {
        func bare(_ path: String) -> Substring { path.hasSuffix("/") ? path.dropLast() : path[...] }
        return bare(first) == bare(second)
    }

    private static func merge(_ path: String, onto basePath: String) -> String {
        guard let slash = basePath.lastIndex(of: "/") else { return "/" + path }
        return basePath[...slash] + path
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
