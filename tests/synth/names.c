/*
 * The lists. Plain ASCII: what has accents, hyphens or apostrophes is chosen by the hard cases
 * (cases.c), so that only they depend on folding.
 */
#include "tests/synth/names.h"

#include "base/status.h"

const char *const names_female[] = {
    "Alice",    "Amanda", "Andrea", "Angela",   "Anna",    "Barbara", "Betty",    "Beverly",
    "Brenda",   "Carmen", "Carol",  "Caroline", "Cheryl",  "Clara",   "Deborah",  "Diana",
    "Dorothy",  "Edith",  "Elena",  "Emily",    "Emma",    "Esther",  "Eva",      "Evelyn",
    "Florence", "Gloria", "Grace",  "Hannah",   "Helen",   "Irene",   "Jennifer", "Joan",
    "Joyce",    "Judith", "Julia",  "Laura",    "Lillian", "Linda",   "Lucia",    "Margaret",
    "Martha",   "Miriam", "Nadia",  "Nancy",    "Nora",    "Olga",    "Olivia",   "Pamela",
    "Patricia", "Paula",  "Rachel", "Rebecca",  "Rosa",    "Ruth",    "Sandra",   "Sharon",
    "Silvia",   "Sofia",  "Sonia",  "Stella",   "Susan",   "Tamara",  "Ursula",   "Valerie",
    "Victoria", "Vivian", "Wanda",  "Yolanda",
};
const size_t names_female_n = ARRAY_LEN(names_female);

const char *const names_male[] = {
    "Aaron",    "Albert",   "Alexander", "Andrew",  "Anthony", "Arthur", "Benjamin",  "Bernard",
    "Brian",    "Bruce",    "Carlos",    "Charles", "Dennis",  "Diego",  "Donald",    "Douglas",
    "Edward",   "Ernest",   "Eugene",    "Felix",   "Francis", "Frank",  "Frederick", "George",
    "Gerald",   "Gilbert",  "Gregory",   "Harold",  "Harry",   "Henry",  "Herbert",   "Howard",
    "Hugo",     "Isaac",    "Ivan",      "Jacob",   "Jerome",  "Joseph", "Joshua",    "Keith",
    "Kenneth",  "Lawrence", "Leon",      "Leonard", "Louis",   "Lucas",  "Marcus",    "Martin",
    "Matthew",  "Nathan",   "Oliver",    "Oscar",   "Patrick", "Paul",   "Peter",     "Philip",
    "Ralph",    "Raymond",  "Richard",   "Ronald",  "Samuel",  "Simon",  "Stanley",   "Stephen",
    "Theodore", "Victor",   "Walter",    "Warren",
};
const size_t names_male_n = ARRAY_LEN(names_male);

const char *const names_family[] = {
    "Abbott",    "Adler",    "Ahmed",     "Archer",    "Baker",    "Baldwin",  "Barton",
    "Becker",    "Bennett",  "Blake",     "Bowman",    "Brandt",   "Burke",    "Caldwell",
    "Campbell",  "Carson",   "Castillo",  "Chandler",  "Chen",     "Cohen",    "Coleman",
    "Cooper",    "Cortez",   "Curtis",    "Dalton",    "Delgado",  "Dixon",    "Drake",
    "Dunbar",    "Ellis",    "Emerson",   "Farrell",   "Fields",   "Fleming",  "Foster",
    "Frazier",   "Fuentes",  "Gallagher", "Garrett",   "Gibson",   "Goldberg", "Graves",
    "Griffin",   "Haas",     "Hammond",   "Hansen",    "Harding",  "Hayes",    "Herrera",
    "Hobbs",     "Hoffman",  "Holland",   "Horvath",   "Hughes",   "Ingram",   "Jensen",
    "Kaplan",    "Keller",   "Khan",      "Kim",       "Klein",    "Lambert",  "Larsen",
    "Lehmann",   "Lindgren", "Lowell",    "Maldonado", "Marsh",    "Mendoza",  "Mercer",
    "Meyer",     "Miles",    "Monroe",    "Morales",   "Nakamura", "Nash",     "Newton",
    "Nguyen",    "Novak",    "Okafor",    "Olsen",     "Ortega",   "Osborne",  "Parrish",
    "Patel",     "Pearson",  "Petersen",  "Porter",    "Quinn",    "Ramsey",   "Reyes",
    "Rhodes",    "Rossi",    "Salazar",   "Santos",    "Sawyer",   "Schmidt",  "Shah",
    "Sheridan",  "Silva",    "Singh",     "Sloan",     "Stafford", "Stein",    "Suarez",
    "Tanaka",    "Thornton", "Torres",    "Underwood", "Vargas",   "Vaughn",   "Wallace",
    "Walsh",     "Weber",    "Whitaker",  "Winters",   "Wolfe",    "Wong",     "Yates",
    "Zimmerman",
};
const size_t names_family_n = ARRAY_LEN(names_family);

const char *const names_street[] = {
    "Acorn Street",  "Birch Road",     "Canal Street",     "Cedar Lane",    "Chestnut Avenue",
    "Dogwood Drive", "Elm Street",     "Fern Hollow Road", "Garden Court",  "Harbor View",
    "Hickory Lane",  "Juniper Street", "Laurel Avenue",    "Maple Street",  "Mill Pond Road",
    "Orchard Road",  "Pine Street",    "Quarry Road",      "River Street",  "Spring Valley Drive",
    "Sycamore Lane", "Walnut Street",  "Willow Bend",      "Windmill Road",
};
const size_t names_street_n = ARRAY_LEN(names_street);

/* Postal codes of the range 000, which the postal service does not use. */
const struct names_town names_towns[] = {
    {"Alderbrook", "OR", "00011"},       {"Blackwater Falls", "WV", "00012"},
    {"Clearmont", "VT", "00013"},        {"Dunmore Heights", "PA", "00014"},
    {"Eastvale Springs", "NM", "00015"}, {"Foxglove", "MN", "00016"},
    {"Graywick", "MA", "00017"},         {"Hollowell", "KS", "00018"},
    {"Ironbridge", "OH", "00019"},       {"Juniper Flats", "AZ", "00020"},
    {"Kestrel Bay", "ME", "00021"},      {"Larkhaven", "NC", "00022"},
};
const size_t names_towns_n = ARRAY_LEN(names_towns);
