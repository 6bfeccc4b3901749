"""The menu in other languages; answers stay English, as the trade's terms are."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Locale:
    """One language: words for names, and sentences for what commands and arguments are for."""

    code: str  # ISO 639-1
    words: Mapping[str, str]  # of commands' names and arguments' names; others stay as they are
    helps: Mapping[str, str]  # by "levels", by "alert add", by "levels symbol", by "symbol"

    def word(self, name: str) -> str:
        """The name as people of this language type it."""
        return self.words.get(name, name)

    def help(self, command: str, argument: str = "") -> str | None:
        """What the command or its argument is for; None where nobody wrote it down."""
        whole = f"{command} {argument}".strip()
        return self.helps.get(whole) or (self.helps.get(f"* {argument}") if argument else None)


GERMAN = Locale(
    "de",
    words={
        "levels": "marken",
        "chart": "bild",
        "expiries": "verfall",
        "compare": "vergleich",
        "export": "export",
        "move": "bewegung",
        "alert": "alarm",
        "add": "neu",
        "list": "liste",
        "pause": "pause",
        "resume": "weiter",
        "delete": "löschen",
        "snooze": "ruhe",
        "quiet": "nachtruhe",
        "timezone": "zeitzone",
        "on": "an",
        "off": "aus",
        "explain": "begriff",
        "setup": "einrichten",
        "help": "hilfe",
        "symbol": "symbol",
        "symbols": "symbole",
        "venues": "börsen",
        "kind": "art",
        "theme": "farben",
        "format": "format",
        "level": "marke",
        "event": "ereignis",
        "options": "optionen",
        "id": "nummer",
        "pack": "paket",
        "term": "wort",
        "time": "zeit",
        "hours": "stunden",
        "zone": "zone",
        "duration": "dauer",
        "state": "zustand",
        "step": "schritt",
        "command": "befehl",
        "fallback": "ersatz",
    },
    helps={
        "levels": "Spot, Regime, HVL, Wände, Flip-Zonen und erwartete Bewegung",
        "chart": "Das Gamma-Profil oder die Kerzen mit den Marken darin",
        "top": "Die zehn Strikes mit dem meisten Gamma",
        "maxpain": "Max Pain je Verfall",
        "move": "Die erwartete Bewegung",
        "flip": "Die Flip-Zonen: wo das Vorzeichen des Gammas wechselt",
        "expiries": "Die Verfallstermine und was an ihnen hängt",
        "compare": "Die Marken jeder Börse für sich, und wie einig sie sind",
        "export": "Die Marken für TradingView, Tabelle, Programm oder Kalender",
        "alert": "Alarme: anlegen, ansehen, anhalten, löschen",
        "alert add": "Einen Alarm anlegen",
        "alert list": "Die Alarme hier",
        "alert pause": "Einen Alarm anhalten",
        "alert resume": "Einen angehaltenen Alarm fortsetzen",
        "alert delete": "Einen Alarm löschen",
        "alert fallback": "Hier gerufen werden, wenn deine Direktnachrichten geschlossen sind",
        "snooze": "Eine Zeit lang keine Alarme",
        "quiet": "Stunden des Tages ohne Alarme",
        "timezone": "Die Zeitzone dieses Chats",
        "feed": "Der gemeinsame Feed dieses Kanals",
        "feed on": "Den Feed dieses Kanals einschalten",
        "feed off": "Den Feed dieses Kanals ausschalten",
        "feed status": "Was der Feed dieses Kanals meldet",
        "digest": "Eine Zusammenfassung am Tag",
        "explain": "Ein Begriff in einem Satz",
        "status": "Wie es Daten, Börsen und Verbindungen geht",
        "setup": "Was hier eingestellt ist, und welches Recht genau fehlt",
        "help": "Alle Befehle",
        "dashboard": "Ein Link, der dich in das Dashboard lässt",
        "* symbol": "Die Münze, etwa btc",
        "* symbols": "Die Münzen, etwa btc eth; sonst alle",
        "* expiries": "Alle Verfallstermine oder nur die nächsten 24 Stunden",
        "* venues": "Nur diese Börsen",
        "* kind": "Welches Bild",
        "* theme": "Dunkel oder hell",
        "* format": "Welche Zeile oder Datei",
        "* level": "Eine Marke oder ein Preis",
        "* event": "Was geschehen muss",
        "* options": "Puffer, Abkühlzeit, wie oft",
        "* id": "Die Nummer des Alarms",
        "* pack": "Welche Alarme",
        "* term": "Das Wort",
        "* time": "Eine Uhrzeit oder eine Dauer",
        "* hours": "Von bis, etwa 23:00-07:00; oder off",
        "* duration": "Wie lange, etwa 1h oder until 08:00; off beendet die Ruhe",
        "* state": "Ein oder aus",
        "* step": "test schickt einen Alarm zur Probe",
        "* command": "Einer der Befehle",
        "* zone": "Etwa Europe/Berlin",
    },
)

LOCALES = (GERMAN,)
