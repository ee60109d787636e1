// The functions of the PAC convention that are about text and dates; `world` has the others.
(function (world, global) {
    "use strict";

    const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    const place = (names, name) => names.indexOf(String(name).toUpperCase());

    // The parts of the present moment, and the arguments without a closing "GMT".
    function moment(given) {
        const parts = Array.from(given);
        const utc = parts.length > 0 && String(parts[parts.length - 1]).toUpperCase() === "GMT";
        if (utc) parts.pop();
        const [milliseconds, offset] = world.date();
        // Without an offset it is the local time of the system; a missing one arrives as undefined.
        const shifted = !utc && offset !== undefined && offset !== null;
        const date = new Date(milliseconds + (shifted ? offset * 60000 : 0));
        const of = utc || shifted ? "getUTC" : "get";
        return {
            parts,
            weekday: date[of + "Day"](),
            day: date[of + "Date"](),
            month: date[of + "Month"](),
            year: date[of + "FullYear"](),
            second: date[of + "Hours"]() * 3600 + date[of + "Minutes"]() * 60 + date[of + "Seconds"](),
        };
    }

    // A range whose end is before its beginning goes over the turn of the week, year or day.
    const within = (from, now, to) => (from <= to ? from <= now && now <= to : from <= now || now <= to);

    // A number of dateRange: day of the month, name of a month, or year.
    function part(value) {
        const month = place(MONTHS, value);
        if (month >= 0) return { kind: "month", value: month };
        const number = Number(value);
        if (!Number.isInteger(number)) return { kind: "none", value: NaN };
        return { kind: number >= 1 && number <= 31 ? "day" : "year", value: number };
    }

    const functions = {
        isPlainHostName: (host) => !String(host).includes("."),
        dnsDomainIs: (host, domain) => String(host).toLowerCase().endsWith(String(domain).toLowerCase()),
        localHostOrDomainIs: (host, name) => {
            host = String(host).toLowerCase();
            name = String(name).toLowerCase();
            return host === name || (!host.includes(".") && name.startsWith(host + "."));
        },
        dnsDomainLevels: (host) => String(host).split(".").length - 1,
        shExpMatch: (text, pattern) => world.match(String(pattern), String(text)),
        isResolvable: (host) => world.dnsResolve(String(host)) !== undefined,
        isResolvableEx: (host) => world.dnsResolveEx(String(host)) !== "",
        dnsResolve: (host) => world.dnsResolve(String(host)) ?? null,
        dnsResolveEx: (host) => world.dnsResolveEx(String(host)),
        myIpAddress: () => world.myIpAddress(),
        myIpAddressEx: () => world.myIpAddressEx(),
        isInNet: (host, pattern, mask) => world.isInNet(String(host), String(pattern), String(mask)),
        isInNetEx: (host, prefix) => world.isInNetEx(String(host), String(prefix)),
        sortIpAddressList: (list) => world.sortIpAddressList(String(list)) ?? false,
        convert_addr: (address) => {
            const bytes = String(address).split(".").map(Number);
            return ((bytes[0] & 255) << 24) | ((bytes[1] & 255) << 16) | ((bytes[2] & 255) << 8) | (bytes[3] & 255);
        },
        getClientVersion: () => "1.0",
        alert: (text) => world.alert(String(text)),

        weekdayRange(...given) {
            const now = moment(given);
            const days = now.parts.map((name) => place(DAYS, name));
            if (days.length < 1 || days.length > 2 || days.includes(-1)) return false;
            return within(days[0], now.weekday, days[days.length - 1]);
        },

        dateRange(...given) {
            const now = moment(given);
            const parts = now.parts.map(part);
            const kinds = parts.map((part) => part.kind).join(" ");
            const values = parts.map((part) => part.value);
            const half = values.length / 2;
            // Ranges are compared as one number; those with a year do not go over its turn.
            const range = (number, present) => {
                const [from, to] = [number(values.slice(0, half)), number(values.slice(half))];
                return kinds.includes("year") ? from <= present && present <= to : within(from, present, to);
            };
            switch (kinds) {
                case "day":
                case "month":
                case "year":
                    return values[0] === now[kinds];
                case "day day":
                case "month month":
                case "year year":
                    return range(([value]) => value, now[parts[0].kind]);
                case "day month":
                    return values[0] === now.day && values[1] === now.month;
                case "month year":
                    return values[0] === now.month && values[1] === now.year;
                case "day month year":
                    return values[0] === now.day && values[1] === now.month && values[2] === now.year;
                case "day month day month":
                    return range(([day, month]) => month * 100 + day, now.month * 100 + now.day);
                case "month year month year":
                    return range(([month, year]) => year * 100 + month, now.year * 100 + now.month);
                case "day month year day month year":
                    return range(
                        ([day, month, year]) => year * 10000 + month * 100 + day,
                        now.year * 10000 + now.month * 100 + now.day,
                    );
                default:
                    return false;
            }
        },

        timeRange(...given) {
            const now = moment(given);
            const numbers = now.parts.map(Number);
            if (numbers.some((number) => !Number.isInteger(number))) return false;
            const second = ([hour, minute = 0, second = 0]) => hour * 3600 + minute * 60 + second;
            switch (numbers.length) {
                case 1:
                    return Math.floor(now.second / 3600) === numbers[0];
                case 2:
                case 4:
                case 6: {
                    const half = numbers.length / 2;
                    return within(second(numbers.slice(0, half)), now.second, second(numbers.slice(half)));
                }
                default:
                    return false;
            }
        },
    };

    for (const [name, value] of Object.entries(functions)) {
        Object.defineProperty(global, name, { value, writable: true, configurable: true, enumerable: false });
    }
});
