import ArgumentParser
import Foundation
import ProviderAPI

/// The options that describe an endpoint: single options or a file.
struct EndpointFieldsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The address to which the provider sends webhooks.", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "An event type to enable; may be repeated. `redeliver events` lists them.", valueName: "name")
    )
    var event: [String] = []

    @Option(
        help: ArgumentHelp(
            "A header to send with each webhook; may be repeated. The process list shows it; use --from-json for secrets.",
            valueName: "name=value"))
    var header: [String] = []

    @Option(help: ArgumentHelp("A text to store with the endpoint; may be repeated.", valueName: "name=value"))
    var metadata: [String] = []

    @Option(
        help: ArgumentHelp(
            "A JSON file with url, enabled_events, custom_headers, metadata, instead of the other options; - reads stdin.",
            valueName: "file"), completion: .file())
    var fromJson: String?

    /// The largest file, in bytes; far more than any endpoint needs.
    private static let fileLimit = 1 << 20

    /// Whether any of the single options is given.
    var isGiven: Bool { url != nil || !event.isEmpty || !header.isEmpty || !metadata.isEmpty }

    func validate() throws {
        if fromJson != nil, isGiven {
            throw ValidationError(
                "--from-json replaces --url, --event, --header and --metadata; give one form only")
        }
        if isGiven { _ = try fields() }
    }

    /// The fields that are given.
    ///
    /// - Throws: `ValidationError` for fields that cannot be sent, and for a file that cannot be read.
    func fields() throws -> EndpointFields {
        do {
            if let fromJson { return try EndpointFields(json: try Self.read(fromJson)) }
            return try EndpointFields(
                url: url, events: event.isEmpty ? nil : event,
                headers: try Self.pairs(header, of: "--header"), metadata: try Self.pairs(metadata, of: "--metadata"))
        } catch let fault as EndpointFields.Fault {
            throw ValidationError("\(fromJson.map { "--from-json \($0): " } ?? "")\(fault)")
        }
    }

    /// nil when the option is not given. An error does not repeat the text, because it may be a secret.
    private static func pairs(_ texts: [String], of option: String) throws -> [(name: String, value: String)]? {
        guard !texts.isEmpty else { return nil }
        return try texts.map { text in
            guard let mark = text.firstIndex(of: "="), mark != text.startIndex else {
                throw ValidationError("\(option): expected NAME=VALUE")
            }
            return (String(text[..<mark]), String(text[text.index(after: mark)...]))
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let bytes: Data
        do {
            let file =
                path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
            bytes = try file.read(upToCount: fileLimit + 1) ?? Data()
        } catch {
            throw ValidationError("--from-json \(path): cannot read the file; is it there and readable by this user?")
        }
        guard bytes.count <= fileLimit else {
            throw ValidationError("--from-json \(path): larger than \(fileLimit) bytes; is it the right file?")
        }
        return Array(bytes)
    }
}
