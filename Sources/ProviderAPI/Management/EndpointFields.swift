/// The fields of a webhook endpoint that a create or an update call sends (provider-api.md, operations 2 and 5).
///
/// Checked: what the provider would have to refuse does not leave the machine. Printed without values, because header
/// values are often secrets.
package struct EndpointFields: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Why a field cannot be sent: names it, says what is allowed, and never shows a header's value.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    static let allNames = "url, enabled_events, custom_headers, metadata"

    /// nil, here and below: the field is not sent.
    package private(set) var url: String?
    package private(set) var enabledEvents: [String]?
    /// A JSON object of texts.
    private var customHeaders: [UInt8]?
    /// A JSON object.
    private var metadata: [UInt8]?
    private var headerValues: [String] = []

    /// - Parameters:
    ///   - headers: sent with every webhook; they take the place of all earlier ones, as `metadata` does.
    package init(
        url: String? = nil, events: [String]? = nil, headers: [(name: String, value: String)]? = nil,
        metadata: [(name: String, value: String)]? = nil
    ) throws(Fault) {
        self.url = try url.map(Self.checked(url:))
        enabledEvents = try events.map(Self.checked(events:))
        if let headers {
            try Self.check(headers: headers)
            headerValues = headers.map(\.value)
            customHeaders = Self.object(headers)
        }
        if let metadata {
            try Self.check(names: metadata.map(\.name), of: "metadata")
            self.metadata = Self.object(metadata)
        }
    }

    /// Reads a JSON object with the documented names; `metadata` may hold any values and is sent as it stands.
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

    /// What is sent.
    var payload: [UInt8] {
        let members = parts.map { JSONText.quoted($0.name) + Array(": ".utf8) + $0.value }
        return [Byte.openBrace] + Array(members.joined(separator: Array(", ".utf8))) + [Byte.closeBrace]
    }

    /// What no message may show: header values, and addresses because they may hold keys.
    var hidden: [String] {
        headerValues + [url].compactMap { $0 }
    }

    private var parts: [(name: String, value: [UInt8])] {
        let all = [
            ("url", url.map(JSONText.quoted)), ("enabled_events", enabledEvents.map(Self.array)),
            ("custom_headers", customHeaders), ("metadata", metadata),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
