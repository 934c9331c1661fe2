/// All policies of a configuration, and which of them an event type gets.
package struct PolicyBook: Sendable, Equatable {
    /// A policy and the event types it is for.
    package struct Entry: Sendable, Equatable {
        /// Exact names, or globs in which `*` stands for any run of characters and `?` for one.
        package var events: [String]
        package var policy: RetryPolicy

        package init(events: [String], policy: RetryPolicy) {
            self.events = events
            self.policy = policy
        }
    }

    /// Why an event type gets its policy.
    package enum Match: Sendable, Equatable {
        case exact
        case glob(String)
        case standard
    }

    package var entries: [Entry]

    package init(entries: [Entry] = []) {
        self.entries = entries
    }

    /// The policy for an event type: exact name first, then the longest glob, then the built-in default. Among globs of
    /// equal length the one that stands first wins.
    package func policy(for eventType: String) -> (policy: RetryPolicy, match: Match) {
        var best: (policy: RetryPolicy, glob: String)?
        for entry in entries {
            for event in entry.events {
                if event == eventType { return (entry.policy, .exact) }
                guard Glob.isGlob(event), Glob.matches(eventType, glob: event) else { continue }
                if event.count > best?.glob.count ?? -1 { best = (entry.policy, event) }
            }
        }
        guard let best else { return (.standard, .standard) }
        return (best.policy, .glob(best.glob))
    }

    /// The event types that the configuration names exactly, in order and without repeats.
    package var exactEventTypes: [String] {
        var seen: Set<String> = []
        return entries.flatMap(\.events).filter { !Glob.isGlob($0) && seen.insert($0).inserted }
    }
}

/// Shell-like patterns for event types: `*` stands for any run of characters, `?` for one, all else for itself.
enum Glob {
    static func isGlob(_ text: String) -> Bool {
        text.contains("*") || text.contains("?")
    }

    /// Linear backtracking: only the last `*` is ever retried, so a hostile pattern cannot explode.
    static func matches(_ text: String, glob: String) -> Bool {
        let text = Array(text)
        let glob = Array(glob)
        var position = 0
        var patternPosition = 0
        var lastStar: (pattern: Int, text: Int)?
        while position < text.count {
            if patternPosition < glob.count, glob[patternPosition] == "*" {
                lastStar = (patternPosition, position)
                patternPosition += 1
            } else if patternPosition < glob.count,
                glob[patternPosition] == text[position] || glob[patternPosition] == "?"
            {
                position += 1
                patternPosition += 1
            } else if let star = lastStar {
                lastStar = (star.pattern, star.text + 1)
                patternPosition = star.pattern + 1
                position = star.text + 1
            } else {
                return false
            }
        }
        return glob[patternPosition...].allSatisfy { $0 == "*" }
    }
}
