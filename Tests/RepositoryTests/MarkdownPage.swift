import Foundation

/// A page of the documentation, as far as links need it.
struct MarkdownPage: Sendable {
    /// Relative to the root.
    let path: String
    let text: String
    /// Outside of blocks of code.
    let headings: [(level: Int, text: String)]
    /// What stands between the brackets of links and images outside of code.
    let links: [String]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        let prose = Self.proseLines(of: text)
        headings = prose.compactMap { line in
            line.wholeMatch(of: /(#{1,6}) +(.+?) */).map { ($0.output.1.count, String($0.output.2)) }
        }
        links = prose.flatMap { line in
            line.replacing(/`[^`]*`/, with: "").matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }
        }
    }

    /// What leads to the headings: repeated ones are numbered, as GitHub does it.
    var anchors: Set<String> {
        var seen: [String: Int] = [:]
        return Set(
            headings.map { heading in
                let anchor = Self.anchor(of: heading.text)
                defer { seen[anchor, default: 0] += 1 }
                return seen[anchor].map { "\(anchor)-\($0)" } ?? anchor
            })
    }

    /// The name under which GitHub and Forgejo link to a heading: lower case, no punctuation, hyphens for spaces.
    static func anchor(of heading: String) -> String {
        let kept = heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
        return kept.replacing(" ", with: "-")
    }

    private static func proseLines(of text: String) -> [String] {
        var isCode = false
        return text.components(separatedBy: "\n").filter { line in
            let isFence = line.trimmingCharacters(in: .whitespaces).hasPrefix("```")
            if isFence { isCode.toggle() }
            return !isFence && !isCode
        }
    }
}

extension Repository {
    /// README, docs and every page below deploy.
    static func markdownPages() throws -> [MarkdownPage] {
        let below = try ["docs", "deploy"].flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
                .filter { $0.hasSuffix(".md") }.sorted().map { "\(folder)/\($0)" }
        }
        return try (["README.md"] + below).map { MarkdownPage(path: $0, text: try text($0)) }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// A link's path as it stands in a page, from the root.
    static func path(_ link: String, from page: String) -> String {
        var steps = page.split(separator: "/").dropLast().map(String.init)
        for step in link.split(separator: "/") where step != "." {
            if step == ".." { _ = steps.popLast() } else { steps.append(String(step)) }
        }
        return steps.joined(separator: "/")
    }
}
