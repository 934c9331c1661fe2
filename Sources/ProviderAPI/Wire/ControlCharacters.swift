/// Characters of texts from outside that must not reach a terminal, a log line or a file.
extension Unicode.Scalar {
    /// A control character (Unicode category Cc). Ids, names and secrets must not hold one.
    package var isControl: Bool { properties.generalCategory == .control }

    /// Whether it may steer a terminal, break a line or reorder the text beside it: categories Cc, Cf, Zl and Zp.
    package var steersDisplay: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

extension String {
    /// The text with `replacement` in place of each character that steers a display.
    package func replacingDisplayControls(with replacement: Unicode.Scalar) -> String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.steersDisplay ? replacement : $0 }))
    }
}
