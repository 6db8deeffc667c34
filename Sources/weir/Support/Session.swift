import ArgumentParser
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Workflows

/// What a command works in: threads, the console, the user's wish to stop.
struct Session {
  var threads: Int
  var quiet: Bool
  /// The processes that work together; nil where this one is alone.
  var ranks: Ranks?

  /// A progress bar for one piece of work.
  func bar(_ label: String) -> ProgressBar { ProgressBar(label: label, quiet: quiet) }

  /// Runs `work` under a progress bar.
  func with<R>(_ label: String, _ work: (Progress) throws -> R) throws -> R {
    let bar = bar(label)
    defer { bar.clear() }
    return try work(bar.progress)
  }

  /// A line on standard error.
  func say(_ line: String) {
    if !quiet { Terminal.write(line + "\n") }
  }
}

/// What a command did.
struct Outcome {
  /// The account of every stage.
  var accounts: [Account] = []
  /// What `--json` prints and what a recipe keeps.
  var report: JSONValue = .object([:])
  /// What a person reads.
  var lines: [String] = []
  /// The share of quarantined records above which the exit code is 2.
  var maxBad = 1.0

  /// What to say where too many records had to be quarantined: how many, why, and where the first one stands.
  var complaint: String? {
    guard let account = accounts.first(where: { $0.input > 0 && Double($0.quarantinedTotal) > maxBad * Double($0.input) }) else {
      return nil
    }
    return
      "\(account.firstQuarantined ?? account.stage): \(Format.count(account.quarantinedTotal)) of \(Format.count(account.input)) records "
      + "quarantined (\(account.quarantined.listing)), more than --max-bad \(maxBad); the rest is written"
  }
}

/// A command of `weir`: the same value runs from the command line and as a step of a recipe.
protocol WeirCommand: ParsableCommand, RecipeCommand {
  /// What every command takes.
  var common: CommonOptions { get }
  /// Whether standard output carries data, so that no report can go there.
  var writesDataToOutput: Bool { get }
  /// Whether the processes that `mpirun` starts divide the work; any other command is to be started once.
  var isParallel: Bool { get }
  /// The flags to report for the property names in errors of libraries.
  var propertyFlags: PropertyFlags { get }
  /// Does the work.
  func perform(_ session: Session) throws -> Outcome
}

extension WeirCommand {
  var writesDataToOutput: Bool { false }
  var isParallel: Bool { false }

  func run() throws {
    var session = Session(threads: common.threads, quiet: common.quiet)
    if isParallel {
      session.ranks = try Job.join()
      if session.ranks?.leads == false { session.quiet = true }
    } else {
      try Job.requireOne()
    }
    let outcome: Outcome
    do { outcome = try namingFlags { try perform(session) } } catch let stop as Stopped {
      Job.leave()
      throw stop
    }
    Job.leave()
    try outcome.render(session, json: common.json && !writesDataToOutput)
    if let complaint = outcome.complaint {
      Terminal.write("weir: \(complaint)\n")
      throw ExitCode(2)
    }
  }
}

extension Outcome {
  /// Accounts and lines to standard error, the report to standard output where asked.
  func render(_ session: Session, json: Bool) throws {
    for account in accounts {
      guard account.isBalanced else {
        throw WeirError(
          account.stage, "the account does not balance: \(account.line)", remedy: "this is an error in weir; please report it")
      }
      session.say(account.line)
      if account.input > 0 && account.quarantinedTotal > 0 {
        session.say("  \(account.stage): quarantined \(account.quarantined.listing); --rejects FILE keeps them")
      }
    }
    if json {
      try StandardOutput.write(JSONFile.encode(report) + [10])
    } else {
      for line in lines { session.say(line) }
    }
  }
}

extension Account {
  /// The account on one line.
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

/// Foundation has a `Progress` of its own.
typealias Progress = Pipeline.Progress
