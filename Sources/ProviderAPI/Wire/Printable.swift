/// Texts from outside, fit for a terminal and for one line of a log.
package enum Printable {
    /// Characters that steer a display become U+FFFD.
    package static func text(_ text: String) -> String {
        text.replacingDisplayControls(with: "\u{FFFD}")
    }

    /// As `text`, for a text of several lines, which keeps them.
    package static func lines(_ text: String) -> String {
        // By scalars: with a carriage return before it, a line break is another Character.
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { self.text(String($0)) }
            .joined(separator: "\n")
    }
}
