/// The fields of a webhook endpoint that a create or update call sends (docs/provider-api.md, "Documented: webhook
/// endpoints").
///
/// Values are checked before anything is sent. Printed without them, because header values are often secrets.
package struct EndpointFields: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Why a field cannot be sent. Names the field and what is allowed, and never shows a header's value.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    static let allNames = "url, enabled_events, custom_headers, metadata"

    /// nil is not sent, here and below.
    package private(set) var url: String?
    package private(set) var enabledEvents: [String]?
    /// A JSON object whose values are strings.
    private var customHeaders: [UInt8]?
    /// A JSON object.
    private var metadata: [UInt8]?
    private var headerValues: [String] = []

    /// Checks and takes the given fields.
    ///
    /// - Parameters:
    ///   - headers: sent with every webhook. They replace all earlier ones, as `metadata` does.
    package init(
        url: String? = nil, events: [String]? = nil, headers: [(name: String, value: String)]? = nil,
        metadata: [(name: String, value: String)]? = nil
    ) throws(Fault) {
        self.url = try url.map(Self.checked(url:))
        enabledEvents = try events.map(Self.checked(events:))
        if let headers {
            try Self.check(headers: headers)
            headerValues = headers.map(\.value)
            customHeaders = JSONText.object(ofTexts: headers)
        }
        if let metadata {
            try Self.check(names: metadata.map(\.name), of: "metadata")
            self.metadata = JSONText.object(ofTexts: metadata)
        }
    }

    /// Reads a JSON object with the documented names. `metadata` may hold any values and is sent byte for byte.
    package init(json bytes: [UInt8]) throws(Fault) {
        let members = try Self.members(of: bytes, as: "the text")
        try Self.check(names: members.map(\.name), of: "the text")
        for (name, value) in members {
            switch name {
            case "url": url = try Self.checked(url: Self.text(value, of: name))
            case "enabled_events": enabledEvents = try Self.checked(events: Self.texts(value, of: name))
            case "custom_headers":
                let headers = try Self.pairs(value, of: name)
                try Self.check(headers: headers)
                headerValues = headers.map(\.value)
                customHeaders = value
            case "metadata":
                try Self.check(names: Self.members(of: value, as: name).map(\.name), of: name)
                metadata = value
            default: throw Fault("there is no field '\(name)': the fields are \(Self.allNames)")
            }
        }
    }

    /// The names of the fields that are sent, in the order of the documentation.
    package var names: [String] {
        parts.map(\.name)
    }

    package var description: String { names.joined(separator: ", ") }
    package var customMirror: Mirror { Mirror(self, children: ["fields": description]) }

    /// The body of the call, a JSON object.
    var payload: [UInt8] { JSONText.object(parts) }

    /// The values that no message may show: header values, and the address because it may hold a key.
    var hidden: [String] {
        headerValues + [url].compactMap { $0 }
    }

    private var parts: [JSONText.Member] {
        let all = [
            ("url", url.map(JSONText.quoted)), ("enabled_events", enabledEvents.map(Self.array)),
            ("custom_headers", customHeaders), ("metadata", metadata),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
