import ArgumentParser
import Foundation
import ProviderAPI

/// The options that describe an endpoint: one by one, or as a file.
struct EndpointFieldsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the provider sends the webhooks.", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp("An event type to enable; repeat it for several. See `redeliver events`.", valueName: "name")
    )
    var event: [String] = []

    @Option(
        help: ArgumentHelp(
            "A header to send with each webhook; repeatable. Values show in the process list: --from-json keeps secrets.",
            valueName: "name=value"))
    var header: [String] = []

    @Option(help: ArgumentHelp("A text to keep with the endpoint; repeatable.", valueName: "name=value"))
    var metadata: [String] = []

    @Option(
        help: ArgumentHelp(
            "A JSON object with url, enabled_events, custom_headers, metadata, instead of the other options; - reads stdin.",
            valueName: "file"), completion: .file())
    var fromJson: String?

    /// Largest file that is read, in bytes; far more than any endpoint needs.
    private static let fileLimit = 1 << 20

    /// Whether one of the single options stands there.
    var isGiven: Bool { url != nil || !event.isEmpty || !header.isEmpty || !metadata.isEmpty }

    func validate() throws {
        if fromJson != nil, isGiven {
            throw ValidationError(
                "--from-json takes the place of --url, --event, --header and --metadata; give one form")
        }
        if isGiven { _ = try fields() }
    }

    /// The fields that are given.
    ///
    /// - Throws: `ValidationError` for what cannot be sent, and for a file that cannot be read.
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

    /// nil when the option is not given. A text that is no pair is not repeated: it may be a secret.
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
