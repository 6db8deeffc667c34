import Foundation
import Primitives
import Storage

extension Verifier {
  private struct Step: Decodable {
    var command: String
    var outputs: [String: String]
    var accounts: [Account]

    struct Account: Decodable {
      var stage: String
      var input: Int
      var output: Int
      var dropped: [String: Int]
      var quarantined: [String: Int]

      /// Whether every record is accounted for.
      var isBalanced: Bool {
        (Array(dropped.values) + Array(quarantined.values)).reduce(output) { $0.addingReportingOverflow($1).partialValue } == input
      }
    }
  }

  /// A step of a recipe: its accounts balance, and what it made is still what it was.
  func checkStep(_ path: String) throws {
    let step = try JSONFile.read(Step.self, from: path)
    for account in step.accounts where !account.isBalanced {
      problem("\(path): the account of \(account.stage) does not balance: in is not out, dropped and quarantined")
    }
    for (name, expected) in step.outputs.sorted(by: { $0.key < $1.key }) {
      guard let output = locate(name, step: path) else {
        note("\(path): its output \(name) is not there")
        continue
      }
      let found = try fingerprint(output)
      if found != expected {
        problem("\(output): was changed since the step made it: its fingerprint is \(found), \(path) says \(expected)")
      }
    }
  }

  /// A step's output: below the run's folder if that was moved or copied, else where it was written.
  private func locate(_ name: String, step: String) -> String? {
    let parts = step.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count >= 2, parts[parts.count - 2] == "steps" {
      let run = parts.dropLast(2).isEmpty ? "." : parts.dropLast(2).joined(separator: "/")
      var tail = name.split(separator: "/")[...]
      while tail.count > 0 {
        let path = run + "/" + tail.joined(separator: "/")
        if Files.exists(path) { return path }
        tail = tail.dropFirst()
      }
    }
    return Files.exists(name) ? name : nil
  }

  /// The fingerprint that recipes use: of a file its bytes, of a folder its manifest, or else all files below it.
  private func fingerprint(_ path: String) throws -> String {
    guard Files.isFolder(path) else { return try hash(path).checksum }
    let manifest = path + "/" + Manifest.fileName
    if Files.exists(manifest) { return try hash(manifest).checksum }
    var text = ""
    let names = try FileManager.default.subpathsOfDirectory(atPath: path).sorted().filter { !Files.isFolder(path + "/" + $0) }
    for name in names { text += "\(name) \(try hash(path + "/" + name).checksum)\n" }
    return Checksum.hex(Checksum.xxh3(Array(text.utf8)))
  }
}
