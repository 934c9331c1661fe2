/// Texts from outside, fit for a terminal and for one line of a log.
package enum Printable {
    /// Characters that steer a display become U+FFFD.
    package static func text(_ text: String) -> String {
        text.replacingDisplayControls(with: "\u{FFFD}")
    }
}
