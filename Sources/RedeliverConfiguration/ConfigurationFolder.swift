import Foundation
import LocalFiles

/// The folder of the configuration file. Relative paths in the file start there, wherever the program was started.
struct ConfigurationFolder {
    /// Absolute, without a slash at the end.
    let root: String

    /// - Parameter file: the configuration file's path; a relative one starts at the current folder.
    init(of file: String) {
        root = URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent().standardizedFileURL.path
    }

    /// The absolute path of `text`, with `.` and `..` resolved.
    func path(_ text: String) -> String {
        let base = text.beginsAtRoot ? text : "\(root)/\(text)"
        return URL(fileURLWithPath: base).standardizedFileURL.path
    }
}
