import ArgumentParser
import Kernels
import Pipeline
import Primitives
import Storage
import Workflows

/// The context in which a command runs: threads, progress output and ranks.
struct Session {
  var threads: Int
  var quiet: Bool
  /// The ranks that share the work; nil for a single process.
  var ranks: Ranks?

  /// Runs `work` under a progress bar.
  func with<R>(_ label: String, _ work: (Progress) throws -> R) throws -> R {
    let bar = ProgressBar(label: label, quiet: quiet)
    defer { bar.clear() }
    return try work(bar.progress)
  }

  /// Prints a line to standard error, unless the session is quiet.
  func say(_ line: String) {
    if !quiet { Terminal.write(line + "\n") }
  }
}

extension Outcome {
  /// The message if too many records were quarantined: how many, why, and the location of the first one; otherwise nil.
  var complaint: String? {
    guard let account = accounts.first(where: { $0.input > 0 && Double($0.quarantinedTotal) > maxBad * Double($0.input) }) else {
      return nil
    }
    let first = account.firstQuarantined.map { ", the first at \($0)" } ?? ""
    return "\(account.stage): \(Format.count(account.quarantinedTotal)) of \(Format.count(account.input)) records were quarantined "
      + "(\(account.quarantined.listing)\(first)), more than --max-bad \(maxBad) allows; all other records were written"
  }
}

/// A command of `weir`. It runs from the command line or as a step of a recipe.
protocol WeirCommand: ParsableCommand, RecipeCommand {
  var common: CommonOptions { get }
  /// Whether data goes to standard output, so that the report cannot.
  var writesDataToOutput: Bool { get }
  /// Whether the ranks that `mpirun` starts share the work; other commands refuse to run on several ranks.
  var isParallel: Bool { get }
  /// The outputs that are held from the start; training commands lock their folders themselves.
  var lockedOutputs: [String] { get }
  /// The flags to report for the property names in errors of libraries.
  var propertyFlags: PropertyFlags { get }
  func perform(_ session: Session) throws -> Outcome
}

extension WeirCommand {
  var writesDataToOutput: Bool { false }
  var isParallel: Bool { false }
  var lockedOutputs: [String] { outputs }

  func run() throws {
    var session = Session(threads: common.threads, quiet: common.quiet)
    if isParallel {
      session.ranks = try OpenMPI.join()
      if session.ranks?.leads == false { session.quiet = true }
    } else {
      try OpenMPI.requireSingleRank()
    }
    let reading = try InputHold(inputs), locks = try OutputLock.hold(lockedOutputs)
    defer { withExtendedLifetime(reading) { for lock in locks { lock.release() } } }
    let outcome: Outcome
    do { outcome = try namingFlags { try perform(session) } } catch let stop as Stopped {
      OpenMPI.leave()
      throw stop
    }
    OpenMPI.leave()
    try outcome.render(session, json: common.json && !writesDataToOutput)
    if let complaint = outcome.complaint {
      Terminal.write("weir: \(complaint)\n")
      throw ExitCode(2)
    }
  }
}

extension Outcome {
  /// Prints accounts and summary to standard error, or the report to standard output if `json` is set.
  func render(_ session: Session, json: Bool) throws {
    for account in accounts {
      guard account.isBalanced else {
        throw WeirError(account.stage, "the account does not balance: \(account.line)", remedy: "this is a bug in Weir; please report it")
      }
      session.say(account.line)
      if account.input > 0 && account.quarantinedTotal > 0 {
        session.say("  \(account.stage): quarantined \(account.quarantined.listing); use --rejects FILE to keep them")
      }
    }
    if json {
      try StandardOutput.write(JSONFile.encode(report) + [10])
    } else {
      // A name in it may be very long.
      for line in lines { session.say(line.utf8.count > 4_000 ? Format.clip(line, 1_000) : line) }
    }
  }
}

extension Account {
  var line: String {
    var text = "  \(stage): \(Format.count(input)) in, \(Format.count(output)) out"
    if droppedTotal > 0 { text += ", \(Format.count(droppedTotal)) dropped (\(dropped.listing))" }
    if quarantinedTotal > 0 { text += ", \(Format.count(quarantinedTotal)) quarantined" }
    if bytesIn > 0 { text += ", \(Format.bytes(bytesIn)) → \(Format.bytes(bytesOut))" }
    for (name, value) in extra.sorted(by: { $0.key < $1.key }) { text += ", \(Format.count(Int(value))) \(name)" }
    if seconds > 0 { text += ", \(Format.duration(seconds))" }
    return text
  }
}

extension [String: Int] {
  /// `reason 3, other 1`, the most frequent first.
  fileprivate var listing: String {
    sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \(Format.count($0.value))" }.joined(separator: ", ")
  }
}

// The types in the signatures of commands, so that commands without workflows need no import. `Progress` is not Foundation's.
typealias Outcome = Workflows.Outcome
typealias Progress = Pipeline.Progress
